"""The policy language of IAM: read it, and say what a policy allows. It knows no service."""
