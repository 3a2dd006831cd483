/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exits that a backend has answered between two entries: quick.c.
 */
#ifndef MVM_QUICK_H
#define MVM_QUICK_H

#include "mvm.h"

/* So many in a row, then the run loop has its turn, whatever the guest does. */
#define MVM_QUICK_MAX 256

bool mvm_quick_exit(struct mvm_vcpu *vcpu, enum mvm_exit_kind kind);

bool __mvm_quick_may_go_on(struct mvm_vcpu *vcpu, struct mvm_event *ev);
/**
 * mvm_quick_may_go_on() - may the guest be entered again without a turn of the run loop?
 * @vcpu: whose exit mvm_quick_exit() has answered
 * @ev: an interrupt that goes in with that entry; else its type is NONE
 *
 * What the answer changed (vcpu->dirty) is the backend's to flush before it asks.
 * A kick from elsewhere needs no look: its IPI ends the next entry at once.
 */
static inline bool mvm_quick_may_go_on(struct mvm_vcpu *vcpu, struct mvm_event *ev)
{
	ev->type = MVM_EVENT_NONE;
	return likely(!atomic_long_read(&vcpu->requests)) ||
	       __mvm_quick_may_go_on(vcpu, ev);
}

#endif
