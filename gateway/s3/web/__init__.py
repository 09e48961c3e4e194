"""Browsers: CORS, websites, and forms that upload."""
