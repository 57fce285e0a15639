"""What happens around training steps: the schedule, and a file for each task it calls.

`schedule.Schedule` counts every step and calls the tasks that are due, in the order of the list
that `fit.make_tasks` builds: the monitor first, since it may roll training back; then the previews,
the log and the progress bar, which show the state that counts; the checkpoints last, since they
save what all the others have done. To add a task, subclass `schedule.Task`.
"""
