Stands in for a file that must exist; nobody reads it.
