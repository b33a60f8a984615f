package tidegate

import (
	"structs"
	"unsafe"
)

// The gateway writes arguments into memory that it asks cabi_realloc for. They live until the call ends, so they lie in
// an arena that is emptied then: nothing of it is left to the garbage collector.
var (
	arena    [8 << 10]uint64
	used     uintptr    // bytes
	overflow [][]uint64 // of calls with more than fits
)

func emptyArena() {
	used = 0
	overflow = nil
}

//go:wasmexport cabi_realloc
func realloc(old unsafe.Pointer, oldSize, align, size uint32) unsafe.Pointer {
	start := (used + uintptr(align) - 1) &^ (uintptr(align) - 1)
	var fresh unsafe.Pointer
	if end := start + uintptr(size); end <= unsafe.Sizeof(arena) {
		fresh = unsafe.Add(unsafe.Pointer(&arena), start)
		used = end
	} else {
		block := make([]uint64, size/8+1)
		overflow = append(overflow, block)
		fresh = unsafe.Pointer(&block[0])
	}
	copy(unsafe.Slice((*byte)(fresh), size), unsafe.Slice((*byte)(old), min(oldSize, size)))
	return fresh
}

// list is a list or a string as it lies in memory, where addresses have 32 bits; those of Go have 64.
type list struct {
	_      structs.HostLayout
	at     uint32
	length uint32
}

func view[T any](l list) []T {
	return unsafe.Slice((*T)(unsafe.Add(unsafe.Pointer(nil), l.at)), l.length)
}

func copyString(l list) string { return string(view[byte](l)) }

func copyStrings(l list) []string {
	all := make([]string, 0, l.length)
	for _, each := range view[list](l) {
		all = append(all, copyString(each))
	}
	return all
}

func listOf[T any](items []T) list {
	return list{at: address(unsafe.SliceData(items)), length: uint32(len(items))}
}

func stringOf(s string) list {
	return list{at: address(unsafe.StringData(s)), length: uint32(len(s))}
}

func address[T any](of *T) uint32 { return uint32(uintptr(unsafe.Pointer(of))) }

// configResult is what configure returns.
type configResult struct {
	_      structs.HostLayout
	failed uint32
	value  list // of faults, or what a good configuration has as its result
}

// Holds what the latest configure returned until the gateway has read it.
var (
	configured configResult
	written    []ConfigError
	records    [][2]list
)

func configureResult(err error) *configResult {
	configured = configResult{}
	if err != nil {
		written = configErrors(err)
		records = records[:0]
		for i := range written {
			records = append(records, [2]list{stringOf(written[i].Path), stringOf(written[i].Message)})
		}
		configured = configResult{failed: 1, value: listOf(records)}
	}
	return &configured
}
