"""Taking a generator elsewhere: files of other formats, each verified in its own runtime."""
