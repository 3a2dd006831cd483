// SPDX-License-Identifier: GPL-2.0-only
/*
 * One poll loop over stdin, the signals, the timeout and the machine's wake
 * fd. Whatever ends the session goes through machine_finish(), so that the
 * first reason wins, whoever has it.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "session.h"
#include "terminal.h"

#define NSEC_PER_SEC 1000000000ull
#define INPUT_CHUNK 512
#define BACKGROUND_POLL_MS 500	/* how soon a job in the foreground again is noticed */

struct session {
	const struct run_options *opt;
	struct machine machine;
	int signal_fd;
	int timer_fd;			/* -1 without a timeout */
	bool input_open;
	bool raw;			/* stdin is a terminal, and raw */
	struct terminal_escape escape;
};

static int open_signals(void)
{
	static const int caught[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT };
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < sizeof(caught) / sizeof(caught[0]); i++)
		sigaddset(&set, caught[i]);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int open_timer(uint64_t ns)
{
	struct itimerspec spec = {
		.it_value = { .tv_sec = ns / NSEC_PER_SEC, .tv_nsec = ns % NSEC_PER_SEC },
	};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	if (fd >= 0)
		timerfd_settime(fd, 0, &spec, NULL);
	return fd;
}

static void show_help(void)
{
	fputs(terminal_help, stderr);
}

static void read_input(struct session *s)
{
	struct machine *m = &s->machine;
	enum terminal_key key = TERMINAL_NOTHING;
	uint8_t buf[INPUT_CHUNK];
	size_t room;
	ssize_t n;

	pthread_mutex_lock(&m->lock);
	room = uart_room(&m->uart);
	pthread_mutex_unlock(&m->lock);
	/*
	 * Without room a terminal's bytes are read and lost, because Ctrl-a x
	 * must work; nothing else is read then.
	 */
	n = read(STDIN_FILENO, buf, room && room < sizeof(buf) ? room : sizeof(buf));
	if (n <= 0) {
		/* The end, or an error such as a terminal that hung up. */
		if (n == 0 || (errno != EINTR && errno != EAGAIN))
			s->input_open = false;
		return;
	}
	if (s->raw)
		n = terminal_filter(&s->escape, buf, n, &key);
	if (key == TERMINAL_HELP)
		show_help();
	if (key == TERMINAL_QUIT)
		machine_finish(m, END_QUIT, 0);

	pthread_mutex_lock(&m->lock);
	uart_receive(&m->uart, buf, n);
	pthread_mutex_unlock(&m->lock);
}

static void read_signal(struct session *s)
{
	struct signalfd_siginfo info;

	if (read(s->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	switch (info.ssi_signo) {
	case SIGTSTP:
		terminal_restore();
		raise(SIGSTOP);
		s->raw = terminal_raw();
		break;
	case SIGCONT:
		s->raw = terminal_raw();
		break;
	default:
		machine_finish(&s->machine, END_SIGNAL, info.ssi_signo);
	}
}

/* Is there somebody to read from, and room for what is read? */
static bool wants_input(struct session *s)
{
	struct machine *m = &s->machine;
	bool room;

	if (!s->input_open || !terminal_readable())
		return false;
	if (s->raw)
		return true;
	pthread_mutex_lock(&m->lock);
	room = uart_room(&m->uart) > 0;
	pthread_mutex_unlock(&m->lock);
	return room;
}

static void wait_for_end(struct session *s)
{
	struct machine *m = &s->machine;
	eventfd_t ignored;

	while (machine_ended(m) == END_NOT_YET) {
		struct pollfd fds[] = {
			{ .fd = m->wake_fd, .events = POLLIN },
			{ .fd = s->signal_fd, .events = POLLIN },
			{ .fd = s->timer_fd, .events = POLLIN },
			{ .fd = wants_input(s) ? STDIN_FILENO : -1, .events = POLLIN },
		};
		bool background = s->input_open && !terminal_readable();

		if (poll(fds, 4, background ? BACKGROUND_POLL_MS : -1) < 0)
			continue;
		if (fds[0].revents)
			eventfd_read(m->wake_fd, &ignored);
		if (fds[1].revents)
			read_signal(s);
		if (fds[2].revents)
			machine_finish(m, END_TIMEOUT, 0);
		if (fds[3].revents)
			read_input(s);
		if (background && terminal_readable())
			s->raw = terminal_raw();
	}
}

static void explain(const struct session *s, struct session_result *r)
{
	const struct machine *m = &s->machine;

	r->end = m->end;
	switch (m->end) {
	case END_EXIT:
		r->status = m->status;
		break;
	case END_CRASH:
	case END_FAILED:
		r->status = EXIT_OWN_FAILURE;
		snprintf(r->text, sizeof(r->text), "%s", m->text);
		break;
	case END_TIMEOUT:
		r->status = EXIT_TIMED_OUT;
		snprintf(r->text, sizeof(r->text),
			 "the guest was still running after %.3g s and was stopped; give more with --timeout",
			 s->opt->timeout_ns / 1e9);
		break;
	case END_SIGNAL:
		r->status = 128 + m->status;
		break;
	default:
		r->status = 0;
	}
}

/* One machine's life; true when another one shall follow it. */
static bool run_machine(struct session *s, struct minivmm *sys, const struct boot_image *image,
			struct stats *stats, struct session_result *r)
{
	struct machine *m = &s->machine;
	int ret;

	ret = machine_create(m, sys, s->opt, image, r->text, sizeof(r->text));
	if (ret) {
		r->end = END_FAILED;
		r->status = EXIT_OWN_FAILURE;
		return false;
	}
	machine_start(m);
	wait_for_end(s);
	machine_stop(m);
	if (stats)
		stats_add_machine(stats, m);
	explain(s, r);
	machine_destroy(m);
	return r->end == END_RESET && !s->opt->no_reboot;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

void session_run(struct minivmm *sys, const struct run_options *opt,
		 const struct boot_image *image, struct stats *stats, struct session_result *r)
{
	struct session s = { .opt = opt, .timer_fd = -1, .input_open = true };
	double start = now();

	memset(r, 0, sizeof(*r));
	s.signal_fd = open_signals();
	if (opt->timeout_ns)
		s.timer_fd = open_timer(opt->timeout_ns);
	if (s.signal_fd < 0 || (opt->timeout_ns && s.timer_fd < 0)) {
		r->end = END_FAILED;
		r->status = EXIT_OWN_FAILURE;
		snprintf(r->text, sizeof(r->text), "cannot wait for signals and time: %s",
			 strerror(errno));
	} else {
		machine_install_kick();
		s.raw = terminal_raw();
		while (run_machine(&s, sys, image, stats, r))
			;
		terminal_restore();
	}
	if (stats)
		stats->seconds = now() - start;
	if (s.timer_fd >= 0)
		close(s.timer_fd);
	if (s.signal_fd >= 0)
		close(s.signal_fd);
}
