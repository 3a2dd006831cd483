# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
#
# The Intel bed: Bochs with VMX. It boots from a CD image that isolinux reads,
# and gives two serial ports.
#
# Every line of the configuration is needed: Debian's build has no windowless
# display but rfb, waits for a viewer without timeout=0, starts in its
# debugger, and aborts when it finds no sound card.

intel_defaults() {
	: "${CPU_MODEL:=corei7_skylake_x}" "${MEMORY:=1024}" "${TIMEOUT:=900}"
	[ -z "$ICOUNT" ] || die "--icount is the AMD bed's; Bochs counts instructions anyway"
	need bochs xorriso
}

# Makes the CD with kernel, initramfs and command line.
intel_iso() {
	local cd=$DIR/cd idle=
	[ "$CPUS" = 1 ] || idle=idle=halt
	mkdir -p "$cd"
	cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$cd/"
	cp "$KERNEL_IMAGE" "$cd/vmlinuz"
	mv "$DIR/initramfs" "$cd/initramfs"
	cat >"$cd/isolinux.cfg" <<-END
		default lab
		prompt 0
		label lab
		kernel vmlinuz
		append initrd=initramfs console=ttyS0 quiet nokaslr panic=0 panic_on_oops=1 mitigations=off tsc_early_khz=50000 printk.devkmsg=on $idle $APPEND
	END
	xorriso -as mkisofs -quiet -o "$DIR/boot.iso" -b isolinux.bin -c boot.cat \
		-no-emul-boot -boot-load-size 4 -boot-info-table "$cd" >"$DIR/iso.log" 2>&1 ||
		die "xorriso failed: $(tail -1 "$DIR/iso.log")"
	rm -rf "$cd"
}

intel_config() {
	cat <<-END
		config_interface: textconfig
		display_library: rfb, options="timeout=0"
		romimage: file=/usr/share/bochs/BIOS-bochs-latest
		vgaromimage: file=/usr/share/vgabios/vgabios.bin
		cpu: model=$CPU_MODEL, count=$CPUS, ips=50000000, reset_on_triple_fault=0
		memory: guest=$MEMORY, host=$MEMORY
		ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
		ata0-master: type=cdrom, path=$DIR/boot.iso, status=inserted
		boot: cdrom
		$1
		log: $LOGS/bochs.log
		panic: action=fatal
		error: action=report
		info: action=$BOCHS_INFO
		clock: sync=none
		sound: driver=dummy
		plugin_ctrl: unmapped=true, biosdev=true, speaker=false, extfpuirq=true, parallel=false, serial=true, gameport=false, iodebug=false, sb16=false, es1370=false
	END
}

# Starts the emulator in the background and leaves its id in EMULATOR.
intel_start() {
	local ports
	intel_iso
	if [ -n "$BOCHS_RC" ]; then
		cp "$BOCHS_RC" "$DIR/rc"
	else
		echo c >"$DIR/rc"
	fi
	if [ -n "$SHELL_WANTED" ]; then
		intel_shell
		return
	fi
	ports="com1: enabled=1, mode=file, dev=$DIR/console.fifo
com2: enabled=1, mode=file, dev=$DIR/job.fifo"
	intel_config "$ports" >"$DIR/bochsrc"
	bochs -q -f "$DIR/bochsrc" -rc "$DIR/rc" "${EMU_ARGS[@]}" </dev/null >"$LOGS/emulator.log" 2>&1 &
	EMULATOR=$!
}

# A shell: the serial line is a pseudo terminal joined to the caller's.
intel_shell() {
	need socat
	intel_config "com1: enabled=1, mode=term, dev=$DIR/tty" >"$DIR/bochsrc"
	local mine=STDIO
	[ ! -t 0 ] || mine=STDIO,raw,echo=0,escape=29
	socat "$mine" "PTY,link=$DIR/tty,raw,echo=0,wait-slave" <&0 &
	local line=$!
	while [ ! -e "$DIR/tty" ] && kill -0 "$line" 2>/dev/null; do sleep 0.1; done
	bochs -q -f "$DIR/bochsrc" -rc "$DIR/rc" "${EMU_ARGS[@]}" </dev/null >"$LOGS/emulator.log" 2>&1 &
	EMULATOR=$!
	wait -n "$line" "$EMULATOR" || :
	kill "$line" "$EMULATOR" 2>/dev/null || :
}

# Says where a host that no longer gets anywhere is: an interrupted Bochs
# prints the next instruction.
intel_where() {
	kill -INT "$EMULATOR" 2>/dev/null || :
	sleep 2
	grep -a '^(' "$LOGS/emulator.log" | tail -n "$CPUS" >&2 || :
}

# Bochs checks a VM entry as strictly as a processor and logs what it found.
intel_explain() {
	local found
	found=$(grep -aE 'VMENTER FAIL|VMFAIL|VMABORT|VM(LAUNCH|RESUME).*(fail|FAIL)' "$LOGS/bochs.log" |
		sed 's/^[0-9]*[a-z]*//' | sort | uniq -c | sort -rn | head -20) || :
	[ -z "$found" ] || {
		say "what Bochs refused, and how often:"
		printf '%s\n' "$found" >&2
	}
}
