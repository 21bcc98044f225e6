"""The panel: shows a Snapshot, asks for operations. The one room that knows Textual."""
