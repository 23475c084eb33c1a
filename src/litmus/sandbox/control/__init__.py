"""The process that a sandbox is: API server, controllers and scheduler on one loop, and the processes of its nodes."""
