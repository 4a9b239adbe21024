package queue

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// How long Redis may take. A client that waits for longer than its caller is
// willing to is no use, and one that gives up sooner than a failover takes
// would turn a hiccup into an outage.
const (
	dialTimeout = 2 * time.Second
	ioTimeout   = 3 * time.Second
	poolTimeout = 4 * time.Second

	// respVersion is the version of Redis's protocol. The third has nothing that
	// is used here, and each answer is looked at twice for what may come between.
	respVersion = 2

	// Plays share connections by pipelining, so few are enough. Together with a
	// subscription's, a client takes at most 13 of a server.
	poolSize     = 8
	pipelineSize = 4 // for pipelines; those that find none free take one of the others
)

// Open returns a client for the Redis that rawURL names:
//
//	redis://[user:password@]host:port[/db]             one server (rediss: TLS)
//	redis+sentinel://[user:password@]host:port/db?master_name=NAME[&addr=host:port…]
//	redis+cluster://[user:password@]host:port[?addr=host:port…]
//
// (and rediss+sentinel, rediss+cluster). Nothing is sent yet. The client does
// not retry by itself: what may be sent twice is decided where it is sent.
func Open(rawURL string) (redis.UniversalClient, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		// The parser's error repeats the URL, which may contain a password.
		return nil, errors.New("redis url: not a URL; want redis://host:port")
	}
	scheme, mode, _ := strings.Cut(u.Scheme, "+")
	if scheme != "redis" && scheme != "rediss" {
		return nil, fmt.Errorf("redis url: scheme %q, want redis or rediss, with +sentinel or +cluster added for those", u.Scheme)
	}
	u.Scheme = scheme
	if u.Hostname() == "" {
		return nil, fmt.Errorf("redis url: no host; want %s://host:port", scheme)
	}
	client, err := open(u, mode)
	if err != nil {
		text := strings.ReplaceAll(err.Error(), u.String(), u.Redacted())
		if password, ok := u.User.Password(); ok && password != "" {
			text = strings.ReplaceAll(text, password, "xxxxx")
		}
		return nil, fmt.Errorf("redis url: %s", text)
	}
	return client, nil
}

func open(u *url.URL, mode string) (redis.UniversalClient, error) {
	switch mode {
	case "":
		o, err := redis.ParseURL(u.String())
		if err != nil {
			return nil, err
		}
		tune(&o.Protocol, &o.MaxRetries, &o.DialerRetries, &o.PoolSize, &o.PipelinePoolSize, &o.ContextTimeoutEnabled)
		bound(&o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout, &o.PoolTimeout)
		return redis.NewClient(o), nil
	case "sentinel":
		o, err := redis.ParseFailoverURL(u.String())
		if err != nil {
			return nil, err
		}
		if o.MasterName == "" {
			return nil, errors.New("no master_name; add ?master_name=NAME")
		}
		tune(&o.Protocol, &o.MaxRetries, &o.DialerRetries, &o.PoolSize, &o.PipelinePoolSize, &o.ContextTimeoutEnabled)
		bound(&o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout, &o.PoolTimeout)
		return redis.NewFailoverClient(o), nil
	case "cluster":
		o, err := redis.ParseClusterURL(u.String())
		if err != nil {
			return nil, err
		}
		tune(&o.Protocol, &o.MaxRetries, &o.DialerRetries, &o.PoolSize, &o.PipelinePoolSize, &o.ContextTimeoutEnabled)
		bound(&o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout, &o.PoolTimeout)
		return redis.NewClusterClient(o), nil
	default:
		return nil, fmt.Errorf("%q is no way to run redis, want sentinel or cluster", mode)
	}
}

// tune sets what must be as it is, and what the URL leaves open.
func tune(protocol, retries, dials, conns, pipelines *int, honourContexts *bool) {
	*retries, *dials = -1, 1
	*protocol = cmp.Or(*protocol, respVersion)
	*honourContexts = true
	*conns = cmp.Or(*conns, poolSize)
	*pipelines = cmp.Or(*pipelines, pipelineSize)
}

// bound sets the timeouts that the URL leaves open.
func bound(dial, read, write, pool *time.Duration) {
	*dial = cmp.Or(*dial, dialTimeout)
	*read = cmp.Or(*read, ioTimeout)
	*write = cmp.Or(*write, ioTimeout)
	*pool = cmp.Or(*pool, poolTimeout)
}
