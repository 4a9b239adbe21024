package worker

import (
	"circles/pkg/rhai"
	"circles/pkg/rhai/value"
)

// oversized reports whether writing a value out would be a waste: what is shared
// in memory is written in full, so a small value can become a huge text. One that
// is not oversized may still turn out to have more than most bytes.
func oversized(v rhai.Value, most int) bool {
	most = 4*most + 1024
	return size(v, most) > most
}

// small is what a value without parts takes at most when it is written.
const small = 32

// size is about how many bytes a value has when it is written out, or something
// above most when that is more.
func size(v rhai.Value, most int) int {
	switch v.Kind() {
	case value.KindString:
		return small + len(v.Text())
	case value.KindBlob:
		return small + len(v.Blob().Bytes)*4 // as [1,2,3]
	case value.KindArray:
		total := small
		for _, item := range v.Array().Items {
			if total += size(item, most-total); total > most {
				break
			}
		}
		return total
	case value.KindMap:
		total := small
		for key, item := range v.Map().All() {
			total += len(key)
			if total > most {
				break
			}
			if total += size(*item, most-total); total > most {
				break
			}
		}
		return total
	case value.KindCell:
		return size(v.Cell().V, most)
	default:
		return small
	}
}
