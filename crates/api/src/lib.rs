//! HTTP: one router and one error dialect per vendor service over the use cases of control.
