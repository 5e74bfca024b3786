"""The soak needs what the tests of the fabric need."""

from tests.fabric.conftest import _privileges  # noqa: F401 - a fixture
