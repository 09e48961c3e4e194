"""Encryption at rest: what writers and buckets ask for, keys, and what is kept of both."""
