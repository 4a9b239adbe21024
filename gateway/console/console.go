// Package console is the web page on which a person plays scripts in a circle:
// an editor, the value, the errors at their lines, and signing in.
//
// The page is embedded, needs no build step and fetches nothing from anywhere but
// the gateway that serves it. Its scripts and styles are files of their own, so
// that the content security policy needs no exception for inline ones. It
// speaks the same WebSocket protocol as every other client and has no
// privileges: what it can do, any client can do.
package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"path"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// Path is where Mount puts the page. The page finds the circle to open in the
// address's fragment: Path + "#" + the circle's key.
const Path = "/console/"

// policy allows what the page is made of and nothing else. 'self' covers the
// WebSocket too, which is always the gateway that served the page.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

//go:embed assets
var embedded embed.FS

// asset is one embedded file, ready to be sent.
type asset struct {
	body        []byte
	contentType string
	etag        string
}

// Mount serves the page under Path.
func Mount(router fiber.Router) {
	assets := load()
	serve := func(c *fiber.Ctx) error {
		// The page's own links are relative: without the slash they would miss.
		if requested := string(c.Request().URI().Path()); requested+"/" == Path {
			return c.Redirect(Path, fiber.StatusMovedPermanently)
		}
		name := c.Params("*")
		if name == "" {
			name = "index.html"
		}
		found, ok := assets[name]
		if !ok {
			return fiber.ErrNotFound
		}
		return found.send(c)
	}
	router.Get(Path, serve)
	router.Get(Path+"*", serve)
}

func (a asset) send(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, a.contentType)
	c.Set(fiber.HeaderContentSecurityPolicy, policy)
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer")
	c.Set("Cross-Origin-Opener-Policy", "same-origin")
	c.Set("Cross-Origin-Resource-Policy", "same-origin")
	// A new gateway means a new page: browsers ask each time and mostly hear 304.
	c.Set(fiber.HeaderCacheControl, "no-cache")
	c.Set(fiber.HeaderETag, a.etag)
	if c.Get(fiber.HeaderIfNoneMatch) == a.etag {
		return c.SendStatus(fiber.StatusNotModified)
	}
	return c.Send(a.body)
}

// load reads every embedded file, by its name below assets.
func load() map[string]asset {
	assets := make(map[string]asset)
	root, err := fs.Sub(embedded, "assets")
	if err != nil {
		return assets // Cannot be: the name is valid and embedded.
	}
	_ = fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		assets[name] = asset{
			body:        body,
			contentType: contentType(name),
			etag:        `"` + hex.EncodeToString(sum[:16]) + `"`,
		}
		return nil
	})
	return assets
}

// contentType knows the page's own kinds of file. The machine's table of types
// is not asked: it may call a script something that browsers refuse to run.
func contentType(name string) string {
	switch strings.ToLower(path.Ext(name)) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	default:
		return "text/plain; charset=utf-8"
	}
}
