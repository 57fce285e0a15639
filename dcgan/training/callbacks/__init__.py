"""What happens around training steps: the schedule, and the tasks that it calls.

`schedule.Schedule` counts every step and calls the tasks that are due, in the order of the list in
`training.fit`: the monitor first, since it may roll training back; then the previews, the log and
the progress bar, which show the state that counts; then growth and the run's page; the checkpoints
last, since they save what all the others have done. To add a task, subclass `schedule.Task`.
"""
