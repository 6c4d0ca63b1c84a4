//! Small histories, each with what must follow from it.
