"""The S3 face: buckets and objects over REST, kept by ``s3store``."""
