//! Client address → group: longest prefix, total.
