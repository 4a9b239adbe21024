package gateway

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
)

// origins decides which web pages may open a socket. Browsers send the page's
// origin with the request, and send it for pages of strangers too: this check
// is what keeps a stranger's page from acting as the person who visits it.
type origins struct {
	any     bool
	allowed []string

	// names are the hosts that the gateway knows itself by. A page of the
	// gateway's own is one whose origin is the host that was asked; on loopback
	// that host has to be a known name besides, lest a stranger's name that was
	// made to resolve to this machine passes for ours.
	names    []string
	loopback bool
}

func newOrigins(cfg Config, names []string) origins {
	o := origins{names: names, loopback: cfg.loopback()}
	for _, text := range cfg.AllowedOrigins {
		if strings.TrimSpace(text) == "*" {
			o.any = true
		} else if origin, err := normalOrigin(text); err == nil {
			o.allowed = append(o.allowed, origin)
		}
	}
	return o
}

// allow decides by the headers Origin and Host. No Origin: no browser asks.
func (o origins) allow(origin, host string) bool {
	if origin == "" || o.any {
		return true
	}
	origin, err := normalOrigin(origin)
	if err != nil {
		return false
	}
	if slices.Contains(o.allowed, origin) {
		return true
	}
	// A proxy may have ended the TLS that the page was loaded by, so the scheme
	// isn't compared.
	_, originHost, _ := strings.Cut(origin, "://")
	host = normalHost(host)
	if originHost != host {
		return false
	}
	return !o.loopback || slices.Contains(o.names, host) || isLoopback(hostname(host))
}

// normalOrigin is scheme://host, with the port unless it is the scheme's own.
func normalOrigin(text string) (string, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || strings.TrimSuffix(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("origin %q, want one such as https://app.example or http://localhost:3000, or *", text)
	}
	host := normalHost(u.Host)
	if own := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]; strings.HasSuffix(host, own) {
		host = strings.TrimSuffix(host, own)
	}
	return u.Scheme + "://" + host, nil
}

func normalHost(host string) string { return strings.ToLower(strings.TrimSpace(host)) }

// hostname is a host without its port and brackets.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}
