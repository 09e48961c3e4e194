import pytest

# The suite's assertions are explained in failures, although it is no test file itself.
pytest.register_assert_rewrite("tests.orchestrator.driver.conformance")
