"""Verifying signatures: pure functions from a request and a secret to yes or a refusal."""
