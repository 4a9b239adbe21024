//go:build !linux

package worker

func yieldThread() {}
