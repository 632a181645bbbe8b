package enum CF {}
