module circles/launcher

go 1.26.0

require (
	circles/gateway v0.0.0
	circles/pkg v0.0.0
	circles/worker v0.0.0
)

require (
	github.com/alicebob/miniredis/v2 v2.40.0 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/spf13/cobra v1.10.2 // indirect
	github.com/spf13/pflag v1.0.9 // indirect
	github.com/yuin/gopher-lua v1.1.1 // indirect
	go.uber.org/goleak v1.3.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
)

replace circles/pkg => ../pkg

replace circles/gateway => ../gateway

replace circles/worker => ../worker
