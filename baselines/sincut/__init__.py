"""SinCUT: CUT between two single images."""
