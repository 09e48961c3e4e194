"""Object storage as a library: buckets and objects, durable, safe among processes. No HTTP."""
