// SPDX-License-Identifier: GPL-2.0-only
/*
 * ticks USEC: for the host of the VM, a timer interrupt each USEC microseconds, so that a
 * guest on the same processor has exits anywhere. Until killed.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

static void tick(int sig)
{
	(void)sig;
}

int main(int argc, char *argv[])
{
	long usec = argc == 2 ? strtol(argv[1], NULL, 0) : 0;
	struct itimerval each = { .it_interval.tv_usec = usec, .it_value.tv_usec = usec };

	if (usec <= 0 || usec >= 1000000) {
		fprintf(stderr, "usage: ticks USEC, less than a second\n");
		return 2;
	}
	signal(SIGALRM, tick);
	if (setitimer(ITIMER_REAL, &each, NULL)) {
		perror("ticks: setitimer");
		return 1;
	}
	for (;;)
		pause();
}
