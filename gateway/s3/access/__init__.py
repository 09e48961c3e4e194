"""Who is calling, and what they may do: signatures, policies, access control lists."""
