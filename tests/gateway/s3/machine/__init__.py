"""A state machine of S3: whatever is asked in whatever order, the server agrees with a model."""
