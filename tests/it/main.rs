
mod configs;
