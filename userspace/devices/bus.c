// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dispatch of port and memory accesses. An access belongs to the range that
 * holds its first byte, or to nobody: a four-byte write to the PCI address
 * port 0xCF8 must not reach the reset register in its second byte.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "bus.h"

int bus_add(struct bus *bus, uint64_t base, uint64_t size, const struct bus_ops *ops, void *dev)
{
	unsigned int i;

	if (!size || base + (size - 1) < base)
		return -EINVAL;
	for (i = 0; i < bus->nr_ranges; i++) {
		const struct bus_range *r = &bus->range[i];

		if (base <= r->base + (r->size - 1) && r->base <= base + (size - 1))
			return -EEXIST;
	}
	if (bus->nr_ranges == BUS_MAX_RANGES)
		return -ENOSPC;
	bus->range[bus->nr_ranges++] = (struct bus_range){
		.base = base, .size = size, .ops = ops, .dev = dev,
	};
	return 0;
}

static struct bus_range *find(struct bus *bus, uint64_t addr)
{
	unsigned int i;

	for (i = 0; i < bus->nr_ranges; i++)
		if (addr - bus->range[i].base < bus->range[i].size)
			return &bus->range[i];
	return NULL;
}

/* The widest power of two that @left bytes and the device both allow. */
static unsigned int piece(const struct bus_range *r, uint64_t left)
{
	unsigned int width = r->ops->max_width;

	while (width > left)
		width /= 2;
	return width;
}

/* How many of @len bytes from @offset are the range's own. */
static unsigned int inside(const struct bus_range *r, uint64_t offset, unsigned int len)
{
	return r->size - offset < len ? r->size - offset : len;
}

void bus_read(struct bus *bus, uint64_t addr, void *data, unsigned int len)
{
	struct bus_range *r = find(bus, addr);
	unsigned int done, n, own;
	uint64_t offset, value;

	memset(data, 0xff, len);
	if (!r) {
		bus->unclaimed++;
		return;
	}
	r->reads++;
	offset = addr - r->base;
	own = inside(r, offset, len);
	for (done = 0; done < own; done += n) {
		n = piece(r, own - done);
		value = r->ops->read(r->dev, offset + done, n);
		memcpy((uint8_t *)data + done, &value, n);
	}
}

void bus_write(struct bus *bus, uint64_t addr, const void *data, unsigned int len)
{
	struct bus_range *r = find(bus, addr);
	unsigned int done, n, own;
	uint64_t offset;

	if (!r) {
		bus->unclaimed++;
		return;
	}
	r->writes++;
	offset = addr - r->base;
	own = inside(r, offset, len);
	for (done = 0; done < own; done += n) {
		uint64_t value = 0;

		n = piece(r, own - done);
		memcpy(&value, (const uint8_t *)data + done, n);
		r->ops->write(r->dev, offset + done, n, value);
	}
}
