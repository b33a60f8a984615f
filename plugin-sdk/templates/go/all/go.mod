module plugins.local/plugin-name

go 1.24
