mod sandbox;
mod tmux_client;
