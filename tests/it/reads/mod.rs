//! What the API answers.

mod database;
