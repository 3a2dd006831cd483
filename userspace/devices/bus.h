/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A registry of address ranges and the devices that answer there; one for
 * ports and one for memory. Reads that nobody answers give all ones, writes
 * are dropped, as on a PC's bus.
 *
 * The bus has no lock: whoever dispatches holds the one that its devices share.
 */
#ifndef DEVICES_BUS_H
#define DEVICES_BUS_H

#include <stdint.h>

#define BUS_MAX_RANGES 32

/**
 * struct bus_ops - a device on a bus
 * @name: for messages and statistics
 * @max_width: widest access the device takes, 1, 2, 4 or 8; wider ones come in pieces
 * @read: value of @len bytes at @offset in the range
 * @write: the same the other way
 *
 * @offset + @len never passes the end of the range, @len is 1, 2, 4 or 8.
 */
struct bus_ops {
	const char *name;
	unsigned int max_width;
	uint64_t (*read)(void *dev, uint64_t offset, unsigned int len);
	void (*write)(void *dev, uint64_t offset, unsigned int len, uint64_t value);
};

struct bus_range {
	uint64_t base;
	uint64_t size;
	const struct bus_ops *ops;
	void *dev;
	uint64_t reads;
	uint64_t writes;
};

struct bus {
	unsigned int nr_ranges;
	struct bus_range range[BUS_MAX_RANGES];	/* in order of being added */
	uint64_t unclaimed;
};

/* 0; -EINVAL for an empty or wrapping range, -EEXIST for an overlap, -ENOSPC. */
int bus_add(struct bus *bus, uint64_t base, uint64_t size, const struct bus_ops *ops, void *dev);

/* @len bytes, 1 to 8, little endian at @data. */
void bus_read(struct bus *bus, uint64_t addr, void *data, unsigned int len);
void bus_write(struct bus *bus, uint64_t addr, const void *data, unsigned int len);

#endif
