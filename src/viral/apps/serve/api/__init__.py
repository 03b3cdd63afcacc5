"""The API for programs: JSON under ``/v1``, and what watches over a server."""
