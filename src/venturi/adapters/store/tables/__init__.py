"""What can be read and written, one class for each kind of resource: rows to domain values and back."""
