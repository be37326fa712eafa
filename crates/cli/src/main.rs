//! The one binary: `serve`, `admin`, `repo`, `try` and the user's commands.

fn main() {}
