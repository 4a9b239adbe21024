module circles/deploy

go 1.26

require circles/pkg v0.0.0

replace circles/pkg => ../pkg
