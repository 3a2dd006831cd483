/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the benchmark's host side (C) and its guests (assembly) agree on: places in guest
 * memory, ports, vectors, and the marker that frames each measured stretch.
 *
 * Guest memory is that of selftests/lib: its tables and stack fill the first 64 KiB, code
 * begins at TVM_CODE, and pages of 2 MiB map all up to 4 GiB.
 */
#ifndef BENCH_LAYOUT_H
#define BENCH_LAYOUT_H

#define BENCH_CLOCK	0x18000		/* kvmclock's page, for the TSC's offset */
#define BENCH_SHARED	0x19000		/* struct bench_shared */
#define BENCH_SAMPLES	0x100000	/* 64-bit ticks, one a round */
#define BENCH_MAX	0x20000		/* so many fit */

/* A second processor's stack and samples. */
#define BENCH_STACK1	0x1f000
#define BENCH_SAMPLES1	0x280000

#define BENCH_RAM	0x400000
#define BENCH_MMIO	0xd0000000	/* nothing there */
#define BENCH_TOUCH	0x40000000	/* the slot whose pages are touched: 1 GiB */
#define BENCH_HIGH	0x100000000	/* sparse slots begin here */

#define BENCH_PORT	0x510		/* to userspace */
#define BENCH_DOORBELL	0x520		/* ioeventfds begin here */
#define BENCH_DONE	0xf1		/* a stub has done its rounds: TVM_PORT */

#define BENCH_VECTOR	0x60

/* Offsets in struct bench_shared, which both sides poll. */
#define SHARED_GO	0
#define SHARED_ACK	64
#define SHARED_TOTAL	128

/*
 * The marker: two instructions that do nothing, one pair before and one after each measured
 * stretch, outside of what is timed. XCHG BX, BX is Bochs' magic breakpoint; the long NOP's
 * displacement tells a plugin that sees the bytes which end it is:
 *
 *	66 87 db  0f 1f 84 00 4d 56 4d 42	"MVMB", the stretch begins
 *	66 87 db  0f 1f 84 00 4d 56 4d 45	"MVME", the stretch ends
 *	66 87 db  0f 1f 84 00 4d 56 4d 52	"MVMR", a new row's stretches follow
 *
 * Where a stretch begins in the host and ends in the guest, so do the two.
 */
#define MARK_BEGIN	.byte 0x66, 0x87, 0xdb, 0x0f, 0x1f, 0x84, 0x00, 0x4d, 0x56, 0x4d, 0x42
#define MARK_END	.byte 0x66, 0x87, 0xdb, 0x0f, 0x1f, 0x84, 0x00, 0x4d, 0x56, 0x4d, 0x45
#define MARK_ROW	.byte 0x66, 0x87, 0xdb, 0x0f, 0x1f, 0x84, 0x00, 0x4d, 0x56, 0x4d, 0x52

#endif /* BENCH_LAYOUT_H */
