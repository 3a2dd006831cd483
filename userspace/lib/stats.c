// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * minivmm's exit counters, an extension of its own: another device that
 * speaks the KVM ABI has none, and says so with -ENOTTY or -EINVAL.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "internal.h"
#include "minivmm.h"

MVM_API int minivmm_vcpu_get_stats(struct minivmm_vcpu *vcpu, struct minivmm_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	if (ioctl(vcpu->fd, MINIVMM_GET_STATS, stats) < 0)
		return mvm_error_ioctl(&vcpu->err, vcpu->fd, errno, "get a vCPU's counters");
	if (stats->nr > MINIVMM_NR_STATS)
		stats->nr = MINIVMM_NR_STATS;
	return 0;
}

MVM_API int minivmm_stat_name(struct minivmm *m, uint32_t index, char *buf, size_t size)
{
	struct minivmm_stat_name name = { .index = index };

	if (ioctl(m->fd, MINIVMM_GET_STAT_NAME, &name) < 0)
		return mvm_error_ioctl(&m->err, m->fd, errno, "get the name of a counter");
	name.name[sizeof(name.name) - 1] = '\0';
	snprintf(buf, size, "%s", name.name);
	return 0;
}
