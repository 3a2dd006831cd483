/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The launcher's verbs, one function each. Each gets its own name as argv[0]
 * and returns the process's exit status.
 */
#ifndef LAUNCHER_VERBS_H
#define LAUNCHER_VERBS_H

int cmd_run(int argc, char **argv);

#endif
