//! What can be protected: shares and volumes, how to read them and write them back.
