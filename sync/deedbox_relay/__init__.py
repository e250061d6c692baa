"""The optional relay that a firm keeps outside its walls: a witness for the logs of boxes (formats/witness.md)."""
