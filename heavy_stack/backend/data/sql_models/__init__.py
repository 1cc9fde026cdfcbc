"""All tables. Importing this package fills the metadata that migrations are compared with."""

from heavy_stack.backend.data.sql_models.artefacts import SQLArtefact
from heavy_stack.backend.data.sql_models.base import HeavyModel, HeavyTable
from heavy_stack.backend.data.sql_models.events import SQLEvent
from heavy_stack.backend.data.sql_models.tasks import SQLTask
from heavy_stack.backend.data.sql_models.users import SQLUser

__all__ = ["HeavyModel", "HeavyTable", "SQLArtefact", "SQLEvent", "SQLTask", "SQLUser"]
