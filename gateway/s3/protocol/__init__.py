"""S3 on the wire: targets, members, bodies and replies, from botocore's model and raw requests."""
