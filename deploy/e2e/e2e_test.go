// Package e2e tests the whole system the way its users meet it: through the published ports of the containers that
// docker-compose.yml runs, and through the page that a browser opens.
package e2e

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// fasthttp keeps the Date header's text current for as long as the process lives.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"))
}
