# The probe guest: a boot sector that does in a moment what every kernel does first.
#
# Real mode, page tables, long mode; a page fault whose handler maps the missing page; twenty ticks
# of the timer, each waited for with hlt. Then it writes 0x10 to isa-debug-exit, which ends qemu
# with status 33. probe.py carries the assembled bytes, and a test assembles this file and compares:
#
#     as --64 probe.S -o probe.o && ld -e 0x7c00 -Ttext 0x7c00 --oformat binary probe.o -o probe.bin

.code16
start:
    cli
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw $0x7c00, %sp
    cld
    movl $0x1000, %edi              # page tables at 0x1000: the first 2 MiB, one large page
    movl %edi, %cr3
    xorl %eax, %eax
    movw $0x0c00, %cx
    rep stosl
    movl $0x2003, 0x1000
    movl $0x3003, 0x2000
    movl $0x83, 0x3000
    movl %cr4, %eax
    orl $0x20, %eax                 # PAE
    movl %eax, %cr4
    movl $0xc0000080, %ecx
    rdmsr
    orl $0x100, %eax                # long mode enable
    wrmsr
    lgdt gdtr
    movl %cr0, %eax
    orl $0x80000001, %eax           # paging and protection
    movl %eax, %cr0
    ljmp $8, $long

.code64
long:
    movl $16, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl $0x5000, %edi              # interrupt table at 0x5000
    xorl %eax, %eax
    movl $0x400, %ecx
    rep stosl
    movl $0x5000 + 14 * 16, %edi
    movl $fault, %eax
    call gate
    movl $0x5000 + 0x20 * 16, %edi
    movl $tick, %eax
    call gate
    lidt idtr
    movl $0x400000, %ebx
    movb %al, (%rbx)                # faults; the handler maps the page, and it is done again
    movb $0x11, %al                 # interrupt controller: vector 0x20, timer alone
    outb %al, $0x20
    movb $0x20, %al
    outb %al, $0x21
    movb $4, %al
    outb %al, $0x21
    movb $1, %al
    outb %al, $0x21
    movb $0xfe, %al
    outb %al, $0x21
    movb $0x34, %al                 # timer: 1000 ticks a second
    outb %al, $0x43
    movb $0xa9, %al
    outb %al, $0x40
    movb $0x04, %al
    outb %al, $0x40
    movl $20, %ebp
    sti
wait:
    hlt
    testl %ebp, %ebp
    jnz wait
    movb $0x10, %al
    outb %al, $0xf4
end:
    hlt
    jmp end

tick:
    decl %ebp
    movb $0x20, %al
    outb %al, $0x20
    iretq

fault:
    movl $0x400083, 0x3010
    addq $8, %rsp
    iretq

gate:                               # the entry at rdi leads to eax
    movw %ax, (%rdi)
    movw $8, 2(%rdi)
    movb $0x8e, 5(%rdi)
    shrl $16, %eax
    movw %ax, 6(%rdi)
    ret

.align 8
gdt:
    .quad 0, 0x00209a0000000000, 0x0000920000000000
gdtr:
    .word 23
    .long gdt
idtr:
    .word 0xfff
    .quad 0x5000

.org 510
    .word 0xaa55
