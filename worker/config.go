package worker

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"circles/pkg/queue"
	"circles/pkg/rhai"
	"circles/pkg/settings"
)

// Config are the worker's settings.
type Config struct {
	settings.Common

	ID       string        `envconfig:"WORKER_ID" desc:"unique among live workers; empty: host name and process id"`
	HTTPAddr string        `envconfig:"WORKER_HTTP_ADDR" default:"127.0.0.1:9091" desc:"address of /healthz and /readyz; empty: none"`
	LeaseTTL time.Duration `envconfig:"LEASE_TTL" default:"5s" min:"100ms" max:"1h" desc:"time after which the circles of a worker that is gone are another's"`

	MaxDeliveries int `envconfig:"MAX_DELIVERIES" default:"3" min:"1" max:"100" desc:"a play is given up when its worker has died of it this often"`
	ResultsKept   int `envconfig:"RESULTS_KEPT" default:"10000" min:"100" max:"10000000" desc:"outcomes kept for each circle, for whoever missed a reply"`

	PreserveTasks bool `envconfig:"PRESERVE_TASKS" default:"false" desc:"keep finished plays, request and outcome, in each circle's history for whoever investigates"`
	HistoryKept   int  `envconfig:"HISTORY_KEPT" default:"10000" min:"1" max:"10000000" desc:"finished plays kept for each circle with PRESERVE_TASKS"`

	StateMaxKeyBytes   int   `envconfig:"STATE_MAX_KEY_BYTES" default:"512" min:"1" max:"65536" desc:"length of a key of a circle's state"`
	StateMaxValueBytes int   `envconfig:"STATE_MAX_VALUE_BYTES" default:"262144" min:"1" max:"8388608" desc:"size of a value of a circle's state, as JSON"`
	StateMaxKeys       int   `envconfig:"STATE_MAX_KEYS" default:"100000" min:"1" desc:"keys of a circle's state"`
	StateMaxBytes      int64 `envconfig:"STATE_MAX_BYTES" default:"67108864" min:"1" desc:"size of a circle's state, keys and values"`
	StateCacheBytes    int   `envconfig:"STATE_CACHE_BYTES" default:"1048576" min:"0" desc:"what the worker remembers of each circle's state"`

	ScriptMaxTime        time.Duration `envconfig:"SCRIPT_MAX_TIME" default:"60s" min:"1ms" desc:"longest run of a play, whatever its own timeout"`
	ScriptMaxOperations  uint64        `envconfig:"SCRIPT_MAX_OPERATIONS" default:"1000000000" desc:"calls and rounds of loops in a play; 0: no limit"`
	ScriptMaxCallDepth   int           `envconfig:"SCRIPT_MAX_CALL_DEPTH" default:"64" min:"1" max:"10000" desc:"function calls inside one another"`
	ScriptMaxStringBytes int           `envconfig:"SCRIPT_MAX_STRING_BYTES" default:"1048576" min:"1" desc:"length of a string"`
	ScriptMaxArrayItems  int           `envconfig:"SCRIPT_MAX_ARRAY_ITEMS" default:"1048576" min:"1" desc:"items of an array, bytes of a blob"`
	ScriptMaxMapEntries  int           `envconfig:"SCRIPT_MAX_MAP_ENTRIES" default:"131072" min:"1" desc:"entries of an object map"`
	ScriptMaxVariables   int           `envconfig:"SCRIPT_MAX_VARIABLES" default:"4096" min:"1" desc:"variables in scope at once"`
	ScriptMaxFunctions   int           `envconfig:"SCRIPT_MAX_FUNCTIONS" default:"1024" min:"1" desc:"functions of a script"`
	ScriptMaxModules     int           `envconfig:"SCRIPT_MAX_MODULES" default:"64" min:"1" desc:"modules that a play imports"`
	ScriptMaxSourceBytes int           `envconfig:"SCRIPT_MAX_SOURCE_BYTES" default:"262144" min:"1" max:"16777216" desc:"length of a script, of a module, and of what is passed to eval"`
	ScriptMaxExprDepth   int           `envconfig:"SCRIPT_MAX_EXPR_DEPTH" default:"64" min:"1" max:"5000" desc:"expressions and statements inside one another, outside of functions"`
	ScriptMaxFnExprDepth int           `envconfig:"SCRIPT_MAX_FUNCTION_EXPR_DEPTH" default:"32" min:"1" max:"5000" desc:"the same in functions"`
	ScriptMaxMemoryBytes int           `envconfig:"SCRIPT_MAX_MEMORY_BYTES" default:"134217728" min:"1048576" desc:"memory that the values of a play take at once"`
	ScriptMaxOutputBytes int           `envconfig:"SCRIPT_MAX_OUTPUT_BYTES" default:"1048576" min:"1024" max:"4194304" desc:"size of a play's value as it is returned"`
	ScriptMaxPrintBytes  int           `envconfig:"SCRIPT_MAX_PRINT_BYTES" default:"262144" min:"1" max:"4194304" desc:"what a play prints, in all"`
	ScriptCacheBytes     int           `envconfig:"SCRIPT_CACHE_BYTES" default:"16777216" min:"0" desc:"memory of the compiled scripts that are kept; 0: none"`
}

// FromEnv reads the settings from the environment. The error lists everything
// that is wrong with them.
func FromEnv() (Config, error) {
	var cfg Config
	loaded := settings.Load(&cfg)
	if loaded != nil && len(cfg.CircleKeys) == 0 {
		// Load said so already.
		return cfg, errors.Join(loaded, cfg.validateOwn())
	}
	return cfg, errors.Join(loaded, cfg.Validate())
}

// Validate lists everything that is wrong with the settings. It changes nothing
// and asks nobody.
func (c Config) Validate() error { return errors.Join(c.Common.Validate(), c.validateOwn()) }

func (c Config) validateOwn() error {
	own := c
	own.Common = settings.Common{} // their bounds are checked with those
	errs := []error{settings.CheckBounds(&own)}
	fail := func(name, format string, args ...any) {
		errs = append(errs, &settings.Error{Name: name, Reason: fmt.Sprintf(format, args...)})
	}
	if strings.ContainsFunc(c.ID, func(r rune) bool { return r <= ' ' || r > '~' }) || len(c.ID) > maxID {
		fail("WORKER_ID", "got %.*q, want at most %d printable ASCII characters and no space", maxID, c.ID, maxID)
	}
	if c.HTTPAddr != "" {
		if _, _, err := net.SplitHostPort(c.HTTPAddr); err != nil {
			fail("WORKER_HTTP_ADDR", "got %q, want host:port, or nothing for none", c.HTTPAddr)
		}
	}
	if c.RedisURL != "" {
		if rdb, err := queue.Open(c.RedisURL); err != nil {
			fail("REDIS_URL", "%v", err)
		} else {
			errs = append(errs, rdb.Close())
		}
	}
	return errors.Join(errs...)
}

const maxID = 200

// id is the worker's name among the others.
func (c Config) id() string {
	host, err := os.Hostname()
	if err != nil {
		host = "worker"
	}
	return cmp.Or(c.ID, fmt.Sprintf("%s-%d", host, os.Getpid()))
}

// historyKept is how many finished plays are kept for each circle.
func (c Config) historyKept() int {
	if !c.PreserveTasks {
		return 0
	}
	return c.HistoryKept
}

func (c Config) limits() rhai.Limits {
	return rhai.Limits{
		Operations:  c.ScriptMaxOperations,
		CallDepth:   c.ScriptMaxCallDepth,
		StringBytes: c.ScriptMaxStringBytes,
		ArrayItems:  c.ScriptMaxArrayItems,
		MapEntries:  c.ScriptMaxMapEntries,
		Variables:   c.ScriptMaxVariables,
		Functions:   c.ScriptMaxFunctions,
		Modules:     c.ScriptMaxModules,
		Memory:      c.ScriptMaxMemoryBytes,
		SourceBytes: c.ScriptMaxSourceBytes,

		ExprDepth:         c.ScriptMaxExprDepth,
		FunctionExprDepth: c.ScriptMaxFnExprDepth,
	}
}

func (c Config) stateLimits() stateLimits {
	return stateLimits{
		keyBytes:   c.StateMaxKeyBytes,
		valueBytes: c.StateMaxValueBytes,
		keys:       c.StateMaxKeys,
		bytes:      c.StateMaxBytes,
		cacheBytes: c.StateCacheBytes,
	}
}
