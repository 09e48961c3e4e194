"""The workflow engine. It knows no noun; see :mod:`orchestrator.engine.workflow` for the rules."""
