! libnnblas in Fortran: interfaces of the C calls, and types that take strings and arrays as they are.
!
!   use nnblas
!   type(nnb_net) :: net
!   call net%parse("1-12:tanh-1")
!   call net%fit(x, t, options="algo=lm max_epochs=100")   ! x (n_in, n_rows), t (n_out, n_rows)
!   call net%predict(x, y)
!   call net%destroy()
!
! nnb_net is in double, nnbf_net in single precision.  nnb_minimize and nnb_least_squares take both.  Options and
! results are text, so this module lays out only views, batches and the problems of the minimisers (docs/abi.md).
! The subroutines have an optional argument status; without it an error ends the program with the library's message.
! The functions that add nodes return their errors, which stay in the net, too: fit and other calls then return them.

!> What does not depend on the precision: texts, options, results, errors.
module nnblas_core
  use, intrinsic :: iso_c_binding
  use, intrinsic :: iso_fortran_env, only: error_unit
  implicit none
  private :: error_unit

  !> Numbers and words of a report, by the names of the fields in nnblas/core.h.
  type :: nnb_result
    character(:), allocatable :: text !< "field=value" lines of nnb_result_print
  contains
    procedure :: read => result_read
    procedure :: number => result_number
    procedure :: word => result_word
  end type

  abstract interface
    !> on_epoch and on_iteration: record is the address of an nnb_record or nnb_min_record.
    function nnb_callback(user, record) bind(c) result(stop_now)
      import :: c_ptr, c_int
      type(c_ptr), value :: user, record
      integer(c_int) :: stop_now
    end function
  end interface

  interface
    function nnb_errmsg_address() bind(c, name='nnb_errmsg') result(text)
      import :: c_ptr
      type(c_ptr) :: text
    end function
    function nnb_version_address() bind(c, name='nnb_version') result(text)
      import :: c_ptr
      type(c_ptr) :: text
    end function
    subroutine nnb_free(p) bind(c)
      import :: c_ptr
      type(c_ptr), value :: p
    end subroutine
    function nnb_set_threads(n) bind(c) result(status)
      import :: c_int
      integer(c_int), value :: n
      integer(c_int) :: status
    end function
    function nnb_get_threads() bind(c) result(n)
      import :: c_int
      integer(c_int) :: n
    end function
    function nnb_activation_find(name, number) bind(c) result(found)
      import :: c_bool, c_char, c_int
      character(kind=c_char), intent(in) :: name(*)
      integer(c_int), intent(inout) :: number
      logical(c_bool) :: found
    end function
    function nnb_loss_find(name, number) bind(c) result(found)
      import :: c_bool, c_char, c_int
      character(kind=c_char), intent(in) :: name(*)
      integer(c_int), intent(inout) :: number
      logical(c_bool) :: found
    end function
    function nnb_fit_opts_create(text, opts) bind(c) result(status)
      import :: c_char, c_int, c_ptr
      character(kind=c_char), intent(in) :: text(*)
      type(c_ptr), intent(out) :: opts
      integer(c_int) :: status
    end function
    subroutine nnb_fit_opts_destroy(opts) bind(c)
      import :: c_ptr
      type(c_ptr), value :: opts
    end subroutine
    function nnb_fit_opts_set_pointer(opts, name, p) bind(c) result(status)
      import :: c_char, c_int, c_ptr
      type(c_ptr), value :: opts, p
      character(kind=c_char), intent(in) :: name(*)
      integer(c_int) :: status
    end function
    function nnb_min_opts_create(text, opts) bind(c) result(status)
      import :: c_char, c_int, c_ptr
      character(kind=c_char), intent(in) :: text(*)
      type(c_ptr), intent(out) :: opts
      integer(c_int) :: status
    end function
    subroutine nnb_min_opts_destroy(opts) bind(c)
      import :: c_ptr
      type(c_ptr), value :: opts
    end subroutine
    function nnb_min_opts_set_pointer(opts, name, p) bind(c) result(status)
      import :: c_char, c_int, c_ptr
      type(c_ptr), value :: opts, p
      character(kind=c_char), intent(in) :: name(*)
      integer(c_int) :: status
    end function
    function nnb_result_create(name, memory) bind(c) result(status)
      import :: c_char, c_int, c_ptr
      character(kind=c_char), intent(in) :: name(*)
      type(c_ptr), intent(out) :: memory
      integer(c_int) :: status
    end function
    function nnb_result_print(name, memory, text) bind(c) result(status)
      import :: c_char, c_int, c_ptr
      character(kind=c_char), intent(in) :: name(*)
      type(c_ptr), value :: memory
      type(c_ptr), intent(out) :: text
      integer(c_int) :: status
    end function
    function c_strlen(text) bind(c, name='strlen') result(n)
      import :: c_ptr, c_size_t
      type(c_ptr), value :: text
      integer(c_size_t) :: n
    end function
  end interface

contains

  !> The text at an address in C.
  function nnb_text_at(address) result(text)
    type(c_ptr), intent(in) :: address
    character(:), allocatable :: text
    character(kind=c_char), pointer :: c(:)
    integer :: i
    call c_f_pointer(address, c, [c_strlen(address)])
    allocate (character(size(c)) :: text)
    do i = 1, size(c)
      text(i:i) = c(i)
    end do
  end function

  !> The message of this thread's last failed call.
  function nnb_message() result(text)
    character(:), allocatable :: text
    text = nnb_text_at(nnb_errmsg_address())
  end function

  !> The version of the library, "0.3.0".
  function nnb_version() result(text)
    character(:), allocatable :: text
    text = nnb_text_at(nnb_version_address())
  end function

  !> Passes the status on, or ends the program if nobody asked for it.
  subroutine nnb_finish(failed, status)
    integer(c_int), intent(in) :: failed
    integer, intent(out), optional :: status
    if (present(status)) then
      status = failed
    else if (failed < 0) then
      write (error_unit, '(2a)') 'nnblas: ', nnb_message()
      error stop 1
    end if
  end subroutine

  !> The number of an activation, -1 for a name that is none: nnb_message has the nearest one.
  function nnb_activation_number(name) result(number)
    character(*), intent(in) :: name
    integer(c_int) :: number
    number = -1
    if (.not. nnb_activation_find(trim(name)//c_null_char, number)) number = -1
  end function

  !> The number of a loss, -1 for a name that is none: nnb_message has the nearest one.
  function nnb_loss_number(name) result(number)
    character(*), intent(in) :: name
    integer(c_int) :: number
    number = -1
    if (.not. nnb_loss_find(trim(name)//c_null_char, number)) number = -1
  end function

  ! ---- options ----

  subroutine nnb_fit_options(opts, failed, options, on_epoch)
    type(c_ptr), intent(out) :: opts
    integer(c_int), intent(out) :: failed
    character(*), intent(in), optional :: options
    procedure(nnb_callback), optional :: on_epoch
    if (present(options)) then
      failed = nnb_fit_opts_create(trim(options)//c_null_char, opts)
    else
      failed = nnb_fit_opts_create(c_null_char, opts)
    end if
    if (failed == 0 .and. present(on_epoch)) &
      failed = nnb_fit_opts_set_pointer(opts, 'on_epoch'//c_null_char, transfer(c_funloc(on_epoch), c_null_ptr))
  end subroutine

  subroutine nnb_min_options(opts, failed, n, options, lower, upper, on_iteration)
    type(c_ptr), intent(out) :: opts
    integer(c_int), intent(out) :: failed
    integer, intent(in) :: n
    character(*), intent(in), optional :: options
    real(c_double), intent(in), contiguous, target, optional :: lower(:), upper(:)
    procedure(nnb_callback), optional :: on_iteration
    if (present(options)) then
      failed = nnb_min_opts_create(trim(options)//c_null_char, opts)
    else
      failed = nnb_min_opts_create(c_null_char, opts)
    end if
    if (failed == 0) call set_bound(opts, 'lower', n, failed, lower)
    if (failed == 0) call set_bound(opts, 'upper', n, failed, upper)
    if (failed == 0 .and. present(on_iteration)) &
      failed = nnb_min_opts_set_pointer(opts, 'on_iteration'//c_null_char, transfer(c_funloc(on_iteration), c_null_ptr))
  end subroutine

  subroutine set_bound(opts, name, n, failed, bound)
    type(c_ptr), intent(in) :: opts
    character(*), intent(in) :: name
    integer, intent(in) :: n
    integer(c_int), intent(out) :: failed
    real(c_double), intent(in), contiguous, target, optional :: bound(:)
    failed = 0
    if (.not. present(bound)) return
    if (size(bound) /= n) error stop 'nnblas: lower and upper must have the size of x'
    failed = nnb_min_opts_set_pointer(opts, name//c_null_char, c_loc(bound))
  end subroutine

  ! ---- results ----

  !> Takes the struct of that name at an address in C.
  subroutine result_read(self, name, memory)
    class(nnb_result), intent(inout) :: self
    character(*), intent(in) :: name
    type(c_ptr), intent(in) :: memory
    type(c_ptr) :: text
    self%text = ''
    if (nnb_result_print(name//c_null_char, memory, text) /= 0) return
    self%text = new_line('a')//nnb_text_at(text)
    call nnb_free(text)
  end subroutine

  !> The value of a field as text: report%word("stop") is "target"; "" if there is no such field.
  function result_word(self, field) result(word)
    class(nnb_result), intent(in) :: self
    character(*), intent(in) :: field
    character(:), allocatable :: word
    integer :: first
    word = ''
    if (.not. allocated(self%text)) return
    first = index(self%text, new_line('a')//field//'=')
    if (first == 0) return
    first = first + len(field) + 2
    word = self%text(first:first + index(self%text(first:), new_line('a')) - 2)
  end function

  !> The value of a field as a number: report%number("loss"); true is 1, false 0.  -huge(1d0) if there is none.
  function result_number(self, field) result(number)
    class(nnb_result), intent(in) :: self
    character(*), intent(in) :: field
    real(c_double) :: number
    character(:), allocatable :: word
    integer :: status
    word = self%word(field)
    number = -huge(number)
    if (word == 'true') number = 1
    if (word == 'false') number = 0
    if (verify(word(1:min(1, len(word))), '-0123456789ni') > 0 .or. len(word) == 0) return
    read (word, *, iostat=status) number
    if (status /= 0) number = -huge(number)
  end function

  !> A number of a record in a callback: nnb_number_at(record, "nnb_record", "loss").
  function nnb_number_at(record, name, field) result(number)
    type(c_ptr), intent(in) :: record
    character(*), intent(in) :: name, field
    real(c_double) :: number
    type(nnb_result) :: fields
    call fields%read(name, record)
    number = fields%number(field)
  end function
end module

!> The types and calls of double precision.  An array (n_in, n_rows) in Fortran's order is the library's matrix of n_rows
!> rows: nothing is copied.
module nnblas_double
  use nnblas_core
  implicit none
  integer, parameter, private :: real_kind = c_double

  ! ---- fixed layouts (docs/abi.md) ----

  type, bind(c) :: view_t ! nnb_mat and nnb_cmat
    type(c_ptr) :: p = c_null_ptr
    integer(c_int) :: rows = 0, cols = 0, ld = 0
  end type

  type, bind(c) :: batch_t ! nnb_batch
    type(view_t) :: x, t
    type(c_ptr) :: label = c_null_ptr, weight = c_null_ptr
    real(c_double) :: norm = 0
    type(view_t) :: dt
    type(c_ptr) :: reserved(8) = c_null_ptr
  end type

  type, bind(c) :: fdf_t ! nnb_fdf
    integer(c_size_t) :: n = 0
    type(c_ptr) :: user = c_null_ptr
    type(c_funptr) :: eval = c_null_funptr
    type(c_ptr) :: reserved(9) = c_null_ptr
  end type

  type, bind(c) :: lsq_t ! nnb_lsq
    integer(c_size_t) :: m = 0, n = 0
    type(c_ptr) :: user = c_null_ptr
    type(c_funptr) :: rows = c_null_funptr
    type(c_ptr) :: ridge = c_null_ptr
    integer(c_int) :: group = 0
    integer(c_size_t) :: m_known = 0
    type(c_ptr) :: linear = c_null_ptr
    real(c_double) :: linear_ridge = 0
    type(c_funptr) :: linear_rows = c_null_funptr
    type(c_ptr) :: reserved(10) = c_null_ptr
  end type

  ! ---- a net ----

  !> A network.  Assignment copies the handle, not the net: both names then mean one net, which is destroyed once.
  !> The subroutines have an optional status; without it an error ends the program with the library's message.
  type :: net_t
    type(c_ptr) :: handle = c_null_ptr
  contains
    procedure :: parse => net_parse
    procedure :: create => net_create
    procedure :: layer => net_layer
    procedure :: input => net_input
    procedure :: activation => net_activation
    procedure :: add => net_add
    procedure :: concat => net_concat
    procedure :: output => net_output
    procedure :: loss => net_loss
    procedure :: seed => net_seed
    procedure :: init => net_init
    procedure :: standardize => net_standardize
    procedure :: n_in => net_n_in
    procedure :: n_out => net_n_out
    procedure :: params => net_params
    procedure :: fit => net_fit
    procedure :: evaluate => net_evaluate
    procedure :: predict => net_predict
    procedure :: classify => net_classify
    procedure :: jacobian => net_jacobian
    procedure :: jvp => net_jvp
    procedure :: hvp => net_hvp
    procedure :: save => net_save
    procedure :: load => net_load
    procedure :: copy_to => net_copy_to
    procedure :: destroy => net_destroy
  end type

  abstract interface
    !> f and g at x, as nnb_fdf.eval: g is C_NULL_PTR or the address of n numbers.  0: good.
    function eval_function(user, x, f, g) bind(c) result(status)
      import :: c_ptr, c_int, c_double, real_kind
      type(c_ptr), value :: user, g
      real(real_kind), intent(in) :: x(*)
      real(c_double), intent(out) :: f
      integer(c_int) :: status
    end function
    !> Residuals row0 + 1 … row0 + k and their derivatives, as nnb_lsq.rows: jacobian is C_NULL_PTR or the address of an
    !> array (ldj, k), of which the first n rows are used.  0: good.
    function rows_function(user, x, row0, k, r, jacobian, ldj) bind(c) result(status)
      import :: c_ptr, c_int, c_size_t, real_kind
      type(c_ptr), value :: user, jacobian
      real(real_kind), intent(in) :: x(*)
      integer(c_size_t), value :: row0
      integer(c_int), value :: k, ldj
      real(real_kind), intent(out) :: r(k)
      integer(c_int) :: status
    end function
  end interface

  interface
    function c_data_wrap(rows, n_classes, data) bind(c, name='nnb_data_wrap') result(status)
      import :: batch_t, c_int, c_ptr
      type(batch_t), intent(in) :: rows
      integer(c_int), value :: n_classes
      type(c_ptr), intent(out) :: data
      integer(c_int) :: status
    end function
    subroutine c_data_destroy(data) bind(c, name='nnb_data_destroy')
      import :: c_ptr
      type(c_ptr), value :: data
    end subroutine
    function c_net_parse(text, net) bind(c, name='nnb_net_parse') result(status)
      import :: c_char, c_int, c_ptr
      character(kind=c_char), intent(in) :: text(*)
      type(c_ptr), intent(out) :: net
      integer(c_int) :: status
    end function
    function c_net_create(n_in) bind(c, name='nnb_net_create') result(net)
      import :: c_int, c_ptr
      integer(c_int), value :: n_in
      type(c_ptr) :: net
    end function
    function c_net_status(net) bind(c, name='nnb_net_status') result(status)
      import :: c_int, c_ptr
      type(c_ptr), value :: net
      integer(c_int) :: status
    end function
    subroutine c_net_destroy(net) bind(c, name='nnb_net_destroy')
      import :: c_ptr
      type(c_ptr), value :: net
    end subroutine
    function c_net_copy(net, other) bind(c, name='nnb_net_copy') result(status)
      import :: c_int, c_ptr
      type(c_ptr), value :: net
      type(c_ptr), intent(out) :: other
      integer(c_int) :: status
    end function
    function c_net_layer(net, from, text) bind(c, name='nnb_net_layer') result(node)
      import :: c_char, c_int, c_ptr
      type(c_ptr), value :: net
      integer(c_int), value :: from
      character(kind=c_char), intent(in) :: text(*)
      integer(c_int) :: node
    end function
    function c_net_input(net, n, name) bind(c, name='nnb_net_input') result(node)
      import :: c_int, c_ptr
      type(c_ptr), value :: net, name
      integer(c_int), value :: n
      integer(c_int) :: node
    end function
    function c_net_activation(net, from, activation) bind(c, name='nnb_net_activation') result(node)
      import :: c_int, c_ptr
      type(c_ptr), value :: net
      integer(c_int), value :: from, activation
      integer(c_int) :: node
    end function
    function c_net_add(net, from, n, activation) bind(c, name='nnb_net_add') result(node)
      import :: c_int, c_ptr
      type(c_ptr), value :: net
      integer(c_int), intent(in) :: from(*)
      integer(c_int), value :: n, activation
      integer(c_int) :: node
    end function
    function c_net_concat(net, from, n) bind(c, name='nnb_net_concat') result(node)
      import :: c_int, c_ptr
      type(c_ptr), value :: net
      integer(c_int), intent(in) :: from(*)
      integer(c_int), value :: n
      integer(c_int) :: node
    end function
    function c_net_output(net, node) bind(c, name='nnb_net_output') result(status)
      import :: c_int, c_ptr
      type(c_ptr), value :: net
      integer(c_int), value :: node
      integer(c_int) :: status
    end function
    function c_net_loss(net, loss) bind(c, name='nnb_net_loss') result(status)
      import :: c_int, c_ptr
      type(c_ptr), value :: net
      integer(c_int), value :: loss
      integer(c_int) :: status
    end function
    function c_net_seed(net, seed) bind(c, name='nnb_net_seed') result(status)
      import :: c_int, c_int64_t, c_ptr
      type(c_ptr), value :: net
      integer(c_int64_t), value :: seed
      integer(c_int) :: status
    end function
    function c_net_init(net, seed) bind(c, name='nnb_net_init') result(status)
      import :: c_int, c_int64_t, c_ptr
      type(c_ptr), value :: net
      integer(c_int64_t), value :: seed
      integer(c_int) :: status
    end function
    function c_net_scale_inputs(net, data, scaling) bind(c, name='nnb_net_scale_inputs') result(status)
      import :: c_int, c_ptr
      type(c_ptr), value :: net, data
      integer(c_int), value :: scaling
      integer(c_int) :: status
    end function
    function c_net_scale_targets(net, data, scaling) bind(c, name='nnb_net_scale_targets') result(status)
      import :: c_int, c_ptr
      type(c_ptr), value :: net, data
      integer(c_int), value :: scaling
      integer(c_int) :: status
    end function
    function c_net_n_in(net) bind(c, name='nnb_net_n_in') result(n)
      import :: c_int, c_ptr
      type(c_ptr), value :: net
      integer(c_int) :: n
    end function
    function c_net_n_out(net) bind(c, name='nnb_net_n_out') result(n)
      import :: c_int, c_ptr
      type(c_ptr), value :: net
      integer(c_int) :: n
    end function
    function c_net_n_params(net) bind(c, name='nnb_net_n_params') result(n)
      import :: c_size_t, c_ptr
      type(c_ptr), value :: net
      integer(c_size_t) :: n
    end function
    function c_net_params(net) bind(c, name='nnb_net_params') result(p)
      import :: c_ptr
      type(c_ptr), value :: net
      type(c_ptr) :: p
    end function
    function c_fit(net, train, val, opts, report) bind(c, name='nnb_fit') result(status)
      import :: c_int, c_ptr
      type(c_ptr), value :: net, train, val, opts, report
      integer(c_int) :: status
    end function
    function c_evaluate(net, data, metrics) bind(c, name='nnb_evaluate') result(status)
      import :: c_int, c_ptr
      type(c_ptr), value :: net, data, metrics
      integer(c_int) :: status
    end function
    function c_net_predict(net, x, y) bind(c, name='nnb_net_predict') result(status)
      import :: c_int, c_ptr, view_t
      type(c_ptr), value :: net
      type(view_t), value :: x, y
      integer(c_int) :: status
    end function
    function c_net_jacobian(net, x, y) bind(c, name='nnb_net_jacobian') result(status)
      import :: c_int, c_ptr, view_t
      type(c_ptr), value :: net
      type(view_t), value :: x, y
      integer(c_int) :: status
    end function
    function c_net_jvp(net, x, u, dy) bind(c, name='nnb_net_jvp') result(status)
      import :: c_int, c_ptr, view_t
      type(c_ptr), value :: net
      type(view_t), value :: x, u, dy
      integer(c_int) :: status
    end function
    function c_net_hvp(net, x, v, u, h) bind(c, name='nnb_net_hvp') result(status)
      import :: c_int, c_ptr, view_t
      type(c_ptr), value :: net
      type(view_t), value :: x, v, u, h
      integer(c_int) :: status
    end function
    function c_net_classify(net, x, label) bind(c, name='nnb_net_classify') result(status)
      import :: c_int, c_int32_t, c_ptr, view_t
      type(c_ptr), value :: net
      type(view_t), value :: x
      integer(c_int32_t), intent(out) :: label(*)
      integer(c_int) :: status
    end function
    function c_net_save(net, path) bind(c, name='nnb_net_save') result(status)
      import :: c_char, c_int, c_ptr
      type(c_ptr), value :: net
      character(kind=c_char), intent(in) :: path(*)
      integer(c_int) :: status
    end function
    function c_net_load(path, opts, net) bind(c, name='nnb_net_load') result(status)
      import :: c_char, c_int, c_ptr
      character(kind=c_char), intent(in) :: path(*)
      type(c_ptr), value :: opts
      type(c_ptr), intent(out) :: net
      integer(c_int) :: status
    end function
    function c_minimize(f, x, opts, report) bind(c, name='nnb_minimize') result(status)
      import :: c_int, c_ptr, fdf_t, real_kind
      type(fdf_t), intent(in) :: f
      real(real_kind), intent(inout) :: x(*)
      type(c_ptr), value :: opts, report
      integer(c_int) :: status
    end function
    function c_least_squares(problem, x, opts, report) bind(c, name='nnb_least_squares') result(status)
      import :: c_int, c_ptr, lsq_t, real_kind
      type(lsq_t), intent(in) :: problem
      real(real_kind), intent(inout) :: x(*)
      type(c_ptr), value :: opts, report
      integer(c_int) :: status
    end function
  end interface

  contains

  ! ---- arrays as the library's views ----

  function rows_of(x) result(view)
    real(real_kind), intent(in), contiguous, target :: x(:, :)
    type(view_t) :: view
    view = view_t(c_loc(x), int(size(x, 2), c_int), int(size(x, 1), c_int), int(size(x, 1), c_int))
  end function

  !> (n_in, n_out, n_rows)
  function jacobians_of(x) result(view)
    real(real_kind), intent(in), contiguous, target :: x(:, :, :)
    type(view_t) :: view
    integer(c_int) :: cols
    cols = int(size(x, 1)*size(x, 2), c_int)
    view = view_t(c_loc(x), int(size(x, 3), c_int), cols, cols)
  end function

  !> nnb_data over arrays, which must outlive it.
  subroutine wrap(net, data, x, t, labels, weights, status, derivatives)
    class(net_t), intent(in) :: net
    type(c_ptr), intent(out) :: data
    real(real_kind), intent(in), contiguous, target :: x(:, :)
    real(real_kind), intent(in), contiguous, target, optional :: t(:, :), weights(:)
    integer(c_int32_t), intent(in), contiguous, target, optional :: labels(:)
    integer(c_int), intent(out) :: status
    real(real_kind), intent(in), contiguous, target, optional :: derivatives(:, :, :)
    type(batch_t) :: batch
    integer(c_int) :: n_classes
    n_classes = 0
    data = c_null_ptr
    batch%x = rows_of(x)
    if (present(t)) batch%t = rows_of(t)
    if (present(labels)) then
      batch%label = c_loc(labels)
      n_classes = max(c_net_n_out(net%handle), 2_c_int)
    end if
    if (present(weights)) batch%weight = c_loc(weights)
    if (present(derivatives)) batch%dt = jacobians_of(derivatives)
    status = c_data_wrap(batch, n_classes, data)
  end subroutine

  ! ---- building: functions return the number of their node, or a negative status, which stays in the net ----

  !> A chain, "4-16:tanh-3:softmax", as nnb_net_parse.
  subroutine net_parse(net, text, status)
    class(net_t), intent(inout) :: net
    character(*), intent(in) :: text
    integer, intent(out), optional :: status
    call net%destroy()
    call nnb_finish(c_net_parse(trim(text)//c_null_char, net%handle), status)
  end subroutine

  !> A net with n inputs, to which layers are added.
  subroutine net_create(net, n, status)
    class(net_t), intent(inout) :: net
    integer, intent(in) :: n
    integer, intent(out), optional :: status
    integer(c_int) :: failed
    call net%destroy()
    net%handle = c_net_create(int(n, c_int))
    failed = -1 ! NNB_E_NOMEM
    if (c_associated(net%handle)) failed = c_net_status(net%handle)
    call nnb_finish(failed, status)
  end subroutine

  !> Adds a dense layer, "16:tanh:name=h", after the node from (0: the node added last).
  function net_layer(net, text, from) result(node)
    class(net_t), intent(in) :: net
    character(*), intent(in) :: text
    integer, intent(in), optional :: from
    integer :: node
    integer(c_int) :: source
    source = 0
    if (present(from)) source = int(from, c_int)
    node = c_net_layer(net%handle, source, trim(text)//c_null_char)
  end function

  !> Adds another input of n columns: the next rows of x.
  function net_input(net, n) result(node)
    class(net_t), intent(in) :: net
    integer, intent(in) :: n
    integer :: node
    node = c_net_input(net%handle, int(n, c_int), c_null_ptr)
  end function

  !> Adds an activation after the node from (0: the node added last).  status gets the error.  Without it a name that is
  !> no activation ends the program.
  function net_activation(net, name, from, status) result(node)
    class(net_t), intent(in) :: net
    character(*), intent(in) :: name
    integer, intent(in), optional :: from
    integer, intent(out), optional :: status
    integer :: node
    integer(c_int) :: source, number, added, before
    source = 0
    if (present(from)) source = int(from, c_int)
    before = c_net_status(net%handle)
    number = nnb_activation_number(name)
    added = c_net_activation(net%handle, source, number) ! of number -1 an error stays in the net
    if (number < 0 .and. before == 0) number = nnb_activation_number(name) ! again, for its message
    if (number < 0 .or. present(status)) call nnb_finish(min(0_c_int, added), status)
    node = added
  end function

  !> Adds the sum of nodes of equal width.
  function net_add(net, nodes) result(node)
    class(net_t), intent(in) :: net
    integer, intent(in) :: nodes(:)
    integer :: node
    node = c_net_add(net%handle, int(nodes, c_int), size(nodes, kind=c_int), 0_c_int)
  end function

  !> Adds the columns of nodes side by side.
  function net_concat(net, nodes) result(node)
    class(net_t), intent(in) :: net
    integer, intent(in) :: nodes(:)
    integer :: node
    node = c_net_concat(net%handle, int(nodes, c_int), size(nodes, kind=c_int))
  end function

  !> Declares a node as an output.
  subroutine net_output(net, node, status)
    class(net_t), intent(in) :: net
    integer, intent(in) :: node
    integer, intent(out), optional :: status
    call nnb_finish(min(0_c_int, c_net_output(net%handle, int(node, c_int))), status)
  end subroutine

  !> Sets the loss of the outputs, "mse".
  subroutine net_loss(net, name, status)
    class(net_t), intent(in) :: net
    character(*), intent(in) :: name
    integer, intent(out), optional :: status
    integer(c_int) :: number, failed, before
    before = c_net_status(net%handle)
    number = nnb_loss_number(name)
    failed = c_net_loss(net%handle, number) ! of number -1 an error stays in the net
    if (number < 0 .and. before == 0) number = nnb_loss_number(name) ! again, for its message
    call nnb_finish(failed, status)
  end subroutine

  !> Sets the seed of the initial parameters.
  subroutine net_seed(net, seed, status)
    class(net_t), intent(in) :: net
    integer, intent(in) :: seed
    integer, intent(out), optional :: status
    call nnb_finish(c_net_seed(net%handle, int(seed, c_int64_t)), status)
  end subroutine

  !> Draws all parameters again.
  subroutine net_init(net, seed, status)
    class(net_t), intent(in) :: net
    integer, intent(in) :: seed
    integer, intent(out), optional :: status
    call nnb_finish(c_net_init(net%handle, int(seed, c_int64_t)), status)
  end subroutine

  !> Scales the inputs to mean 0 and deviation 1, and the targets if t is given.  The net stores the scalers.
  subroutine net_standardize(net, x, t, status)
    class(net_t), intent(in) :: net
    real(real_kind), intent(in), contiguous, target :: x(:, :)
    real(real_kind), intent(in), contiguous, target, optional :: t(:, :)
    integer, intent(out), optional :: status
    type(c_ptr) :: data
    integer(c_int) :: failed
    call wrap(net, data, x, t=t, status=failed)
    if (failed == 0) failed = c_net_scale_inputs(net%handle, data, 0_c_int)
    if (failed == 0 .and. present(t)) failed = c_net_scale_targets(net%handle, data, 0_c_int)
    call c_data_destroy(data)
    call nnb_finish(failed, status)
  end subroutine

  ! ---- looking at it ----

  !> Columns of the inputs; 0 if the net has an error.
  function net_n_in(net) result(n)
    class(net_t), intent(in) :: net
    integer :: n
    n = c_net_n_in(net%handle)
  end function

  !> Columns of the outputs; 0 if the net has an error.
  function net_n_out(net) result(n)
    class(net_t), intent(in) :: net
    integer :: n
    n = c_net_n_out(net%handle)
  end function

  !> All parameters: the net's memory, valid until it is destroyed.  Null if the net is not complete.
  function net_params(net) result(p)
    class(net_t), intent(in) :: net
    real(real_kind), pointer :: p(:)
    type(c_ptr) :: address
    p => null()
    address = c_net_params(net%handle)
    if (c_associated(address)) call c_f_pointer(address, p, [c_net_n_params(net%handle)])
  end function

  ! ---- training, evaluating, predicting ----

  !> Trains the net on x (n_in, n_rows) and t (n_out, n_rows) or labels (classes from 0), as nnb_fit.  options: those of
  !> nnb_fit_opts as text, "algo=lm max_epochs=200".  on_epoch: called with the address of each record, of which
  !> nnb_number_at(record, "nnb_record", "loss") reads the numbers, and with the option metrics=f1 "f1"; a result other
  !> than 0 stops.
  !> derivatives (n_in, n_out, n_rows): targets for the derivatives of the outputs, as net_jacobian has them, beside t.
  subroutine net_fit(net, x, t, labels, weights, x_val, t_val, labels_val, options, on_epoch, report, status, derivatives)
    class(net_t), intent(in) :: net
    real(real_kind), intent(in), contiguous, target :: x(:, :)
    real(real_kind), intent(in), contiguous, target, optional :: t(:, :), weights(:), x_val(:, :), t_val(:, :)
    integer(c_int32_t), intent(in), contiguous, target, optional :: labels(:), labels_val(:)
    character(*), intent(in), optional :: options
    procedure(nnb_callback), optional :: on_epoch
    type(nnb_result), intent(out), optional :: report
    integer, intent(out), optional :: status
    real(real_kind), intent(in), contiguous, target, optional :: derivatives(:, :, :)
    type(c_ptr) :: train, val, opts, memory
    integer(c_int) :: failed
    train = c_null_ptr
    val = c_null_ptr
    memory = c_null_ptr
    call nnb_fit_options(opts, failed, options, on_epoch)
    if (failed == 0) call wrap(net, train, x, t, labels, weights, failed, derivatives)
    if (failed == 0 .and. present(x_val)) call wrap(net, val, x_val, t=t_val, labels=labels_val, status=failed)
    if (failed == 0) failed = nnb_result_create('nnb_report'//c_null_char, memory)
    if (failed == 0) failed = c_fit(net%handle, train, val, opts, memory)
    if (present(report) .and. c_associated(memory)) call report%read('nnb_report', memory)
    call nnb_free(memory)
    call c_data_destroy(val)
    call c_data_destroy(train)
    call nnb_fit_opts_destroy(opts)
    call nnb_finish(failed, status)
  end subroutine

  !> loss, accuracy, rmse, r2 of the net on data, as nnb_evaluate.
  subroutine net_evaluate(net, x, t, labels, weights, metrics, status)
    class(net_t), intent(in) :: net
    real(real_kind), intent(in), contiguous, target :: x(:, :)
    real(real_kind), intent(in), contiguous, target, optional :: t(:, :), weights(:)
    integer(c_int32_t), intent(in), contiguous, target, optional :: labels(:)
    type(nnb_result), intent(out) :: metrics
    integer, intent(out), optional :: status
    type(c_ptr) :: data, memory
    integer(c_int) :: failed
    memory = c_null_ptr
    call wrap(net, data, x, t, labels, weights, failed)
    if (failed == 0) failed = nnb_result_create('nnb_metrics'//c_null_char, memory)
    if (failed == 0) failed = c_evaluate(net%handle, data, memory)
    if (failed == 0) call metrics%read('nnb_metrics', memory)
    call nnb_free(memory)
    call c_data_destroy(data)
    call nnb_finish(failed, status)
  end subroutine

  !> y (n_out, n_rows) = net(x).
  subroutine net_predict(net, x, y, status)
    class(net_t), intent(in) :: net
    real(real_kind), intent(in), contiguous, target :: x(:, :)
    real(real_kind), intent(inout), contiguous, target :: y(:, :)
    integer, intent(out), optional :: status
    call nnb_finish(c_net_predict(net%handle, rows_of(x), rows_of(y)), status)
  end subroutine

  !> The class of each row, from 0.
  subroutine net_classify(net, x, labels, status)
    class(net_t), intent(in) :: net
    real(real_kind), intent(in), contiguous, target :: x(:, :)
    integer(c_int32_t), intent(out) :: labels(size(x, 2))
    integer, intent(out), optional :: status
    call nnb_finish(c_net_classify(net%handle, rows_of(x), labels), status)
  end subroutine

  !> jacobian (n_in, n_out, n_rows): jacobian(i, o, row) is the derivative of output o by input i.
  subroutine net_jacobian(net, x, jacobian, status)
    class(net_t), intent(in) :: net
    real(real_kind), intent(in), contiguous, target :: x(:, :)
    real(real_kind), intent(inout), contiguous, target :: jacobian(:, :, :)
    integer, intent(out), optional :: status
    call nnb_finish(c_net_jacobian(net%handle, rows_of(x), jacobians_of(jacobian)), status)
  end subroutine

  !> dy ← ∂y/∂x·u, the derivatives of the outputs along the columns of u.
  subroutine net_jvp(net, x, u, dy, status)
    class(net_t), intent(in) :: net
    real(real_kind), intent(in), contiguous, target :: x(:, :), u(:, :)
    real(real_kind), intent(inout), contiguous, target :: dy(:, :)
    integer, intent(out), optional :: status
    call nnb_finish(c_net_jvp(net%handle, rows_of(x), rows_of(u), rows_of(dy)), status)
  end subroutine

  !> h ← H·u, H the second derivatives of the sum of v·y by x, for each column.
  subroutine net_hvp(net, x, v, u, h, status)
    class(net_t), intent(in) :: net
    real(real_kind), intent(in), contiguous, target :: x(:, :), v(:, :), u(:, :)
    real(real_kind), intent(inout), contiguous, target :: h(:, :)
    integer, intent(out), optional :: status
    call nnb_finish(c_net_hvp(net%handle, rows_of(x), rows_of(v), rows_of(u), rows_of(h)), status)
  end subroutine

  ! ---- files, copies ----

  !> Writes the net as a safetensors file, atomically.
  subroutine net_save(net, path, status)
    class(net_t), intent(in) :: net
    character(*), intent(in) :: path
    integer, intent(out), optional :: status
    call nnb_finish(c_net_save(net%handle, trim(path)//c_null_char), status)
  end subroutine

  !> Reads a file of save, nnb_net_save or the command nnblas.
  subroutine net_load(net, path, status)
    class(net_t), intent(inout) :: net
    character(*), intent(in) :: path
    integer, intent(out), optional :: status
    call net%destroy()
    call nnb_finish(c_net_load(trim(path)//c_null_char, c_null_ptr, net%handle), status)
  end subroutine

  !> Makes other a copy of the net.
  subroutine net_copy_to(net, other, status)
    class(net_t), intent(in) :: net
    class(net_t), intent(inout) :: other
    integer, intent(out), optional :: status
    call other%destroy()
    call nnb_finish(c_net_copy(net%handle, other%handle), status)
  end subroutine

  !> Releases the net.  A net that was never made is accepted.
  subroutine net_destroy(net)
    class(net_t), intent(inout) :: net
    call c_net_destroy(net%handle)
    net%handle = c_null_ptr
  end subroutine

  ! ---- any function, any sum of squares ----

  !> Minimises f from x, as nnb_minimize.  lower, upper: bounds.
  subroutine minimize_it(eval, x, options, lower, upper, on_iteration, user, report, status)
    procedure(eval_function) :: eval
    real(real_kind), intent(inout) :: x(:)
    character(*), intent(in), optional :: options
    real(c_double), intent(in), contiguous, target, optional :: lower(:), upper(:)
    procedure(nnb_callback), optional :: on_iteration
    type(c_ptr), intent(in), optional :: user
    type(nnb_result), intent(out), optional :: report
    integer, intent(out), optional :: status
    type(fdf_t) :: f
    type(c_ptr) :: opts, memory
    integer(c_int) :: failed
    memory = c_null_ptr
    f%n = size(x, kind=c_size_t)
    f%eval = c_funloc(eval)
    if (present(user)) f%user = user
    call nnb_min_options(opts, failed, size(x), options, lower, upper, on_iteration)
    if (failed == 0) failed = nnb_result_create('nnb_min_report'//c_null_char, memory)
    if (failed == 0) failed = c_minimize(f, x, opts, memory)
    if (present(report) .and. c_associated(memory)) call report%read('nnb_min_report', memory)
    call nnb_free(memory)
    call nnb_min_opts_destroy(opts)
    call nnb_finish(failed, status)
  end subroutine

  !> Minimises half the sum of m squares from x, as nnb_least_squares.
  subroutine least_squares_it(rows, m, x, options, lower, upper, on_iteration, user, report, status)
    procedure(rows_function) :: rows
    integer, intent(in) :: m
    real(real_kind), intent(inout) :: x(:)
    character(*), intent(in), optional :: options
    real(c_double), intent(in), contiguous, target, optional :: lower(:), upper(:)
    procedure(nnb_callback), optional :: on_iteration
    type(c_ptr), intent(in), optional :: user
    type(nnb_result), intent(out), optional :: report
    integer, intent(out), optional :: status
    type(lsq_t) :: problem
    type(c_ptr) :: opts, memory
    integer(c_int) :: failed
    memory = c_null_ptr
    problem%m = int(m, c_size_t)
    problem%n = size(x, kind=c_size_t)
    problem%rows = c_funloc(rows)
    if (present(user)) problem%user = user
    call nnb_min_options(opts, failed, size(x), options, lower, upper, on_iteration)
    if (failed == 0) failed = nnb_result_create('nnb_min_report'//c_null_char, memory)
    if (failed == 0) failed = c_least_squares(problem, x, opts, memory)
    if (present(report) .and. c_associated(memory)) call report%read('nnb_min_report', memory)
    call nnb_free(memory)
    call nnb_min_opts_destroy(opts)
    call nnb_finish(failed, status)
  end subroutine
end module nnblas_double

!> The same in single precision: made from nnblas_double by single.py.
module nnblas_single
  use nnblas_core
  implicit none
  integer, parameter, private :: real_kind = c_float

  ! ---- fixed layouts (docs/abi.md) ----

  type, bind(c) :: view_t ! nnb_mat and nnb_cmat
    type(c_ptr) :: p = c_null_ptr
    integer(c_int) :: rows = 0, cols = 0, ld = 0
  end type

  type, bind(c) :: batch_t ! nnb_batch
    type(view_t) :: x, t
    type(c_ptr) :: label = c_null_ptr, weight = c_null_ptr
    real(c_double) :: norm = 0
    type(view_t) :: dt
    type(c_ptr) :: reserved(8) = c_null_ptr
  end type

  type, bind(c) :: fdf_t ! nnb_fdf
    integer(c_size_t) :: n = 0
    type(c_ptr) :: user = c_null_ptr
    type(c_funptr) :: eval = c_null_funptr
    type(c_ptr) :: reserved(9) = c_null_ptr
  end type

  type, bind(c) :: lsq_t ! nnb_lsq
    integer(c_size_t) :: m = 0, n = 0
    type(c_ptr) :: user = c_null_ptr
    type(c_funptr) :: rows = c_null_funptr
    type(c_ptr) :: ridge = c_null_ptr
    integer(c_int) :: group = 0
    integer(c_size_t) :: m_known = 0
    type(c_ptr) :: linear = c_null_ptr
    real(c_double) :: linear_ridge = 0
    type(c_funptr) :: linear_rows = c_null_funptr
    type(c_ptr) :: reserved(10) = c_null_ptr
  end type

  ! ---- a net ----

  !> A network.  Assignment copies the handle, not the net: both names then mean one net, which is destroyed once.
  !> The subroutines have an optional status; without it an error ends the program with the library's message.
  type :: net_t
    type(c_ptr) :: handle = c_null_ptr
  contains
    procedure :: parse => net_parse
    procedure :: create => net_create
    procedure :: layer => net_layer
    procedure :: input => net_input
    procedure :: activation => net_activation
    procedure :: add => net_add
    procedure :: concat => net_concat
    procedure :: output => net_output
    procedure :: loss => net_loss
    procedure :: seed => net_seed
    procedure :: init => net_init
    procedure :: standardize => net_standardize
    procedure :: n_in => net_n_in
    procedure :: n_out => net_n_out
    procedure :: params => net_params
    procedure :: fit => net_fit
    procedure :: evaluate => net_evaluate
    procedure :: predict => net_predict
    procedure :: classify => net_classify
    procedure :: jacobian => net_jacobian
    procedure :: jvp => net_jvp
    procedure :: hvp => net_hvp
    procedure :: save => net_save
    procedure :: load => net_load
    procedure :: copy_to => net_copy_to
    procedure :: destroy => net_destroy
  end type

  abstract interface
    !> f and g at x, as nnb_fdf.eval: g is C_NULL_PTR or the address of n numbers.  0: good.
    function eval_function(user, x, f, g) bind(c) result(status)
      import :: c_ptr, c_int, c_double, real_kind
      type(c_ptr), value :: user, g
      real(real_kind), intent(in) :: x(*)
      real(c_double), intent(out) :: f
      integer(c_int) :: status
    end function
    !> Residuals row0 + 1 … row0 + k and their derivatives, as nnb_lsq.rows: jacobian is C_NULL_PTR or the address of an
    !> array (ldj, k), of which the first n rows are used.  0: good.
    function rows_function(user, x, row0, k, r, jacobian, ldj) bind(c) result(status)
      import :: c_ptr, c_int, c_size_t, real_kind
      type(c_ptr), value :: user, jacobian
      real(real_kind), intent(in) :: x(*)
      integer(c_size_t), value :: row0
      integer(c_int), value :: k, ldj
      real(real_kind), intent(out) :: r(k)
      integer(c_int) :: status
    end function
  end interface

  interface
    function c_data_wrap(rows, n_classes, data) bind(c, name='nnbf_data_wrap') result(status)
      import :: batch_t, c_int, c_ptr
      type(batch_t), intent(in) :: rows
      integer(c_int), value :: n_classes
      type(c_ptr), intent(out) :: data
      integer(c_int) :: status
    end function
    subroutine c_data_destroy(data) bind(c, name='nnbf_data_destroy')
      import :: c_ptr
      type(c_ptr), value :: data
    end subroutine
    function c_net_parse(text, net) bind(c, name='nnbf_net_parse') result(status)
      import :: c_char, c_int, c_ptr
      character(kind=c_char), intent(in) :: text(*)
      type(c_ptr), intent(out) :: net
      integer(c_int) :: status
    end function
    function c_net_create(n_in) bind(c, name='nnbf_net_create') result(net)
      import :: c_int, c_ptr
      integer(c_int), value :: n_in
      type(c_ptr) :: net
    end function
    function c_net_status(net) bind(c, name='nnbf_net_status') result(status)
      import :: c_int, c_ptr
      type(c_ptr), value :: net
      integer(c_int) :: status
    end function
    subroutine c_net_destroy(net) bind(c, name='nnbf_net_destroy')
      import :: c_ptr
      type(c_ptr), value :: net
    end subroutine
    function c_net_copy(net, other) bind(c, name='nnbf_net_copy') result(status)
      import :: c_int, c_ptr
      type(c_ptr), value :: net
      type(c_ptr), intent(out) :: other
      integer(c_int) :: status
    end function
    function c_net_layer(net, from, text) bind(c, name='nnbf_net_layer') result(node)
      import :: c_char, c_int, c_ptr
      type(c_ptr), value :: net
      integer(c_int), value :: from
      character(kind=c_char), intent(in) :: text(*)
      integer(c_int) :: node
    end function
    function c_net_input(net, n, name) bind(c, name='nnbf_net_input') result(node)
      import :: c_int, c_ptr
      type(c_ptr), value :: net, name
      integer(c_int), value :: n
      integer(c_int) :: node
    end function
    function c_net_activation(net, from, activation) bind(c, name='nnbf_net_activation') result(node)
      import :: c_int, c_ptr
      type(c_ptr), value :: net
      integer(c_int), value :: from, activation
      integer(c_int) :: node
    end function
    function c_net_add(net, from, n, activation) bind(c, name='nnbf_net_add') result(node)
      import :: c_int, c_ptr
      type(c_ptr), value :: net
      integer(c_int), intent(in) :: from(*)
      integer(c_int), value :: n, activation
      integer(c_int) :: node
    end function
    function c_net_concat(net, from, n) bind(c, name='nnbf_net_concat') result(node)
      import :: c_int, c_ptr
      type(c_ptr), value :: net
      integer(c_int), intent(in) :: from(*)
      integer(c_int), value :: n
      integer(c_int) :: node
    end function
    function c_net_output(net, node) bind(c, name='nnbf_net_output') result(status)
      import :: c_int, c_ptr
      type(c_ptr), value :: net
      integer(c_int), value :: node
      integer(c_int) :: status
    end function
    function c_net_loss(net, loss) bind(c, name='nnbf_net_loss') result(status)
      import :: c_int, c_ptr
      type(c_ptr), value :: net
      integer(c_int), value :: loss
      integer(c_int) :: status
    end function
    function c_net_seed(net, seed) bind(c, name='nnbf_net_seed') result(status)
      import :: c_int, c_int64_t, c_ptr
      type(c_ptr), value :: net
      integer(c_int64_t), value :: seed
      integer(c_int) :: status
    end function
    function c_net_init(net, seed) bind(c, name='nnbf_net_init') result(status)
      import :: c_int, c_int64_t, c_ptr
      type(c_ptr), value :: net
      integer(c_int64_t), value :: seed
      integer(c_int) :: status
    end function
    function c_net_scale_inputs(net, data, scaling) bind(c, name='nnbf_net_scale_inputs') result(status)
      import :: c_int, c_ptr
      type(c_ptr), value :: net, data
      integer(c_int), value :: scaling
      integer(c_int) :: status
    end function
    function c_net_scale_targets(net, data, scaling) bind(c, name='nnbf_net_scale_targets') result(status)
      import :: c_int, c_ptr
      type(c_ptr), value :: net, data
      integer(c_int), value :: scaling
      integer(c_int) :: status
    end function
    function c_net_n_in(net) bind(c, name='nnbf_net_n_in') result(n)
      import :: c_int, c_ptr
      type(c_ptr), value :: net
      integer(c_int) :: n
    end function
    function c_net_n_out(net) bind(c, name='nnbf_net_n_out') result(n)
      import :: c_int, c_ptr
      type(c_ptr), value :: net
      integer(c_int) :: n
    end function
    function c_net_n_params(net) bind(c, name='nnbf_net_n_params') result(n)
      import :: c_size_t, c_ptr
      type(c_ptr), value :: net
      integer(c_size_t) :: n
    end function
    function c_net_params(net) bind(c, name='nnbf_net_params') result(p)
      import :: c_ptr
      type(c_ptr), value :: net
      type(c_ptr) :: p
    end function
    function c_fit(net, train, val, opts, report) bind(c, name='nnbf_fit') result(status)
      import :: c_int, c_ptr
      type(c_ptr), value :: net, train, val, opts, report
      integer(c_int) :: status
    end function
    function c_evaluate(net, data, metrics) bind(c, name='nnbf_evaluate') result(status)
      import :: c_int, c_ptr
      type(c_ptr), value :: net, data, metrics
      integer(c_int) :: status
    end function
    function c_net_predict(net, x, y) bind(c, name='nnbf_net_predict') result(status)
      import :: c_int, c_ptr, view_t
      type(c_ptr), value :: net
      type(view_t), value :: x, y
      integer(c_int) :: status
    end function
    function c_net_jacobian(net, x, y) bind(c, name='nnbf_net_jacobian') result(status)
      import :: c_int, c_ptr, view_t
      type(c_ptr), value :: net
      type(view_t), value :: x, y
      integer(c_int) :: status
    end function
    function c_net_jvp(net, x, u, dy) bind(c, name='nnbf_net_jvp') result(status)
      import :: c_int, c_ptr, view_t
      type(c_ptr), value :: net
      type(view_t), value :: x, u, dy
      integer(c_int) :: status
    end function
    function c_net_hvp(net, x, v, u, h) bind(c, name='nnbf_net_hvp') result(status)
      import :: c_int, c_ptr, view_t
      type(c_ptr), value :: net
      type(view_t), value :: x, v, u, h
      integer(c_int) :: status
    end function
    function c_net_classify(net, x, label) bind(c, name='nnbf_net_classify') result(status)
      import :: c_int, c_int32_t, c_ptr, view_t
      type(c_ptr), value :: net
      type(view_t), value :: x
      integer(c_int32_t), intent(out) :: label(*)
      integer(c_int) :: status
    end function
    function c_net_save(net, path) bind(c, name='nnbf_net_save') result(status)
      import :: c_char, c_int, c_ptr
      type(c_ptr), value :: net
      character(kind=c_char), intent(in) :: path(*)
      integer(c_int) :: status
    end function
    function c_net_load(path, opts, net) bind(c, name='nnbf_net_load') result(status)
      import :: c_char, c_int, c_ptr
      character(kind=c_char), intent(in) :: path(*)
      type(c_ptr), value :: opts
      type(c_ptr), intent(out) :: net
      integer(c_int) :: status
    end function
    function c_minimize(f, x, opts, report) bind(c, name='nnbf_minimize') result(status)
      import :: c_int, c_ptr, fdf_t, real_kind
      type(fdf_t), intent(in) :: f
      real(real_kind), intent(inout) :: x(*)
      type(c_ptr), value :: opts, report
      integer(c_int) :: status
    end function
    function c_least_squares(problem, x, opts, report) bind(c, name='nnbf_least_squares') result(status)
      import :: c_int, c_ptr, lsq_t, real_kind
      type(lsq_t), intent(in) :: problem
      real(real_kind), intent(inout) :: x(*)
      type(c_ptr), value :: opts, report
      integer(c_int) :: status
    end function
  end interface

  contains

  ! ---- arrays as the library's views ----

  function rows_of(x) result(view)
    real(real_kind), intent(in), contiguous, target :: x(:, :)
    type(view_t) :: view
    view = view_t(c_loc(x), int(size(x, 2), c_int), int(size(x, 1), c_int), int(size(x, 1), c_int))
  end function

  !> (n_in, n_out, n_rows)
  function jacobians_of(x) result(view)
    real(real_kind), intent(in), contiguous, target :: x(:, :, :)
    type(view_t) :: view
    integer(c_int) :: cols
    cols = int(size(x, 1)*size(x, 2), c_int)
    view = view_t(c_loc(x), int(size(x, 3), c_int), cols, cols)
  end function

  !> nnb_data over arrays, which must outlive it.
  subroutine wrap(net, data, x, t, labels, weights, status, derivatives)
    class(net_t), intent(in) :: net
    type(c_ptr), intent(out) :: data
    real(real_kind), intent(in), contiguous, target :: x(:, :)
    real(real_kind), intent(in), contiguous, target, optional :: t(:, :), weights(:)
    integer(c_int32_t), intent(in), contiguous, target, optional :: labels(:)
    integer(c_int), intent(out) :: status
    real(real_kind), intent(in), contiguous, target, optional :: derivatives(:, :, :)
    type(batch_t) :: batch
    integer(c_int) :: n_classes
    n_classes = 0
    data = c_null_ptr
    batch%x = rows_of(x)
    if (present(t)) batch%t = rows_of(t)
    if (present(labels)) then
      batch%label = c_loc(labels)
      n_classes = max(c_net_n_out(net%handle), 2_c_int)
    end if
    if (present(weights)) batch%weight = c_loc(weights)
    if (present(derivatives)) batch%dt = jacobians_of(derivatives)
    status = c_data_wrap(batch, n_classes, data)
  end subroutine

  ! ---- building: functions return the number of their node, or a negative status, which stays in the net ----

  !> A chain, "4-16:tanh-3:softmax", as nnb_net_parse.
  subroutine net_parse(net, text, status)
    class(net_t), intent(inout) :: net
    character(*), intent(in) :: text
    integer, intent(out), optional :: status
    call net%destroy()
    call nnb_finish(c_net_parse(trim(text)//c_null_char, net%handle), status)
  end subroutine

  !> A net with n inputs, to which layers are added.
  subroutine net_create(net, n, status)
    class(net_t), intent(inout) :: net
    integer, intent(in) :: n
    integer, intent(out), optional :: status
    integer(c_int) :: failed
    call net%destroy()
    net%handle = c_net_create(int(n, c_int))
    failed = -1 ! NNB_E_NOMEM
    if (c_associated(net%handle)) failed = c_net_status(net%handle)
    call nnb_finish(failed, status)
  end subroutine

  !> Adds a dense layer, "16:tanh:name=h", after the node from (0: the node added last).
  function net_layer(net, text, from) result(node)
    class(net_t), intent(in) :: net
    character(*), intent(in) :: text
    integer, intent(in), optional :: from
    integer :: node
    integer(c_int) :: source
    source = 0
    if (present(from)) source = int(from, c_int)
    node = c_net_layer(net%handle, source, trim(text)//c_null_char)
  end function

  !> Adds another input of n columns: the next rows of x.
  function net_input(net, n) result(node)
    class(net_t), intent(in) :: net
    integer, intent(in) :: n
    integer :: node
    node = c_net_input(net%handle, int(n, c_int), c_null_ptr)
  end function

  !> Adds an activation after the node from (0: the node added last).  status gets the error.  Without it a name that is
  !> no activation ends the program.
  function net_activation(net, name, from, status) result(node)
    class(net_t), intent(in) :: net
    character(*), intent(in) :: name
    integer, intent(in), optional :: from
    integer, intent(out), optional :: status
    integer :: node
    integer(c_int) :: source, number, added, before
    source = 0
    if (present(from)) source = int(from, c_int)
    before = c_net_status(net%handle)
    number = nnb_activation_number(name)
    added = c_net_activation(net%handle, source, number) ! of number -1 an error stays in the net
    if (number < 0 .and. before == 0) number = nnb_activation_number(name) ! again, for its message
    if (number < 0 .or. present(status)) call nnb_finish(min(0_c_int, added), status)
    node = added
  end function

  !> Adds the sum of nodes of equal width.
  function net_add(net, nodes) result(node)
    class(net_t), intent(in) :: net
    integer, intent(in) :: nodes(:)
    integer :: node
    node = c_net_add(net%handle, int(nodes, c_int), size(nodes, kind=c_int), 0_c_int)
  end function

  !> Adds the columns of nodes side by side.
  function net_concat(net, nodes) result(node)
    class(net_t), intent(in) :: net
    integer, intent(in) :: nodes(:)
    integer :: node
    node = c_net_concat(net%handle, int(nodes, c_int), size(nodes, kind=c_int))
  end function

  !> Declares a node as an output.
  subroutine net_output(net, node, status)
    class(net_t), intent(in) :: net
    integer, intent(in) :: node
    integer, intent(out), optional :: status
    call nnb_finish(min(0_c_int, c_net_output(net%handle, int(node, c_int))), status)
  end subroutine

  !> Sets the loss of the outputs, "mse".
  subroutine net_loss(net, name, status)
    class(net_t), intent(in) :: net
    character(*), intent(in) :: name
    integer, intent(out), optional :: status
    integer(c_int) :: number, failed, before
    before = c_net_status(net%handle)
    number = nnb_loss_number(name)
    failed = c_net_loss(net%handle, number) ! of number -1 an error stays in the net
    if (number < 0 .and. before == 0) number = nnb_loss_number(name) ! again, for its message
    call nnb_finish(failed, status)
  end subroutine

  !> Sets the seed of the initial parameters.
  subroutine net_seed(net, seed, status)
    class(net_t), intent(in) :: net
    integer, intent(in) :: seed
    integer, intent(out), optional :: status
    call nnb_finish(c_net_seed(net%handle, int(seed, c_int64_t)), status)
  end subroutine

  !> Draws all parameters again.
  subroutine net_init(net, seed, status)
    class(net_t), intent(in) :: net
    integer, intent(in) :: seed
    integer, intent(out), optional :: status
    call nnb_finish(c_net_init(net%handle, int(seed, c_int64_t)), status)
  end subroutine

  !> Scales the inputs to mean 0 and deviation 1, and the targets if t is given.  The net stores the scalers.
  subroutine net_standardize(net, x, t, status)
    class(net_t), intent(in) :: net
    real(real_kind), intent(in), contiguous, target :: x(:, :)
    real(real_kind), intent(in), contiguous, target, optional :: t(:, :)
    integer, intent(out), optional :: status
    type(c_ptr) :: data
    integer(c_int) :: failed
    call wrap(net, data, x, t=t, status=failed)
    if (failed == 0) failed = c_net_scale_inputs(net%handle, data, 0_c_int)
    if (failed == 0 .and. present(t)) failed = c_net_scale_targets(net%handle, data, 0_c_int)
    call c_data_destroy(data)
    call nnb_finish(failed, status)
  end subroutine

  ! ---- looking at it ----

  !> Columns of the inputs; 0 if the net has an error.
  function net_n_in(net) result(n)
    class(net_t), intent(in) :: net
    integer :: n
    n = c_net_n_in(net%handle)
  end function

  !> Columns of the outputs; 0 if the net has an error.
  function net_n_out(net) result(n)
    class(net_t), intent(in) :: net
    integer :: n
    n = c_net_n_out(net%handle)
  end function

  !> All parameters: the net's memory, valid until it is destroyed.  Null if the net is not complete.
  function net_params(net) result(p)
    class(net_t), intent(in) :: net
    real(real_kind), pointer :: p(:)
    type(c_ptr) :: address
    p => null()
    address = c_net_params(net%handle)
    if (c_associated(address)) call c_f_pointer(address, p, [c_net_n_params(net%handle)])
  end function

  ! ---- training, evaluating, predicting ----

  !> Trains the net on x (n_in, n_rows) and t (n_out, n_rows) or labels (classes from 0), as nnb_fit.  options: those of
  !> nnb_fit_opts as text, "algo=lm max_epochs=200".  on_epoch: called with the address of each record, of which
  !> nnb_number_at(record, "nnb_record", "loss") reads the numbers, and with the option metrics=f1 "f1"; a result other
  !> than 0 stops.
  !> derivatives (n_in, n_out, n_rows): targets for the derivatives of the outputs, as net_jacobian has them, beside t.
  subroutine net_fit(net, x, t, labels, weights, x_val, t_val, labels_val, options, on_epoch, report, status, derivatives)
    class(net_t), intent(in) :: net
    real(real_kind), intent(in), contiguous, target :: x(:, :)
    real(real_kind), intent(in), contiguous, target, optional :: t(:, :), weights(:), x_val(:, :), t_val(:, :)
    integer(c_int32_t), intent(in), contiguous, target, optional :: labels(:), labels_val(:)
    character(*), intent(in), optional :: options
    procedure(nnb_callback), optional :: on_epoch
    type(nnb_result), intent(out), optional :: report
    integer, intent(out), optional :: status
    real(real_kind), intent(in), contiguous, target, optional :: derivatives(:, :, :)
    type(c_ptr) :: train, val, opts, memory
    integer(c_int) :: failed
    train = c_null_ptr
    val = c_null_ptr
    memory = c_null_ptr
    call nnb_fit_options(opts, failed, options, on_epoch)
    if (failed == 0) call wrap(net, train, x, t, labels, weights, failed, derivatives)
    if (failed == 0 .and. present(x_val)) call wrap(net, val, x_val, t=t_val, labels=labels_val, status=failed)
    if (failed == 0) failed = nnb_result_create('nnb_report'//c_null_char, memory)
    if (failed == 0) failed = c_fit(net%handle, train, val, opts, memory)
    if (present(report) .and. c_associated(memory)) call report%read('nnb_report', memory)
    call nnb_free(memory)
    call c_data_destroy(val)
    call c_data_destroy(train)
    call nnb_fit_opts_destroy(opts)
    call nnb_finish(failed, status)
  end subroutine

  !> loss, accuracy, rmse, r2 of the net on data, as nnb_evaluate.
  subroutine net_evaluate(net, x, t, labels, weights, metrics, status)
    class(net_t), intent(in) :: net
    real(real_kind), intent(in), contiguous, target :: x(:, :)
    real(real_kind), intent(in), contiguous, target, optional :: t(:, :), weights(:)
    integer(c_int32_t), intent(in), contiguous, target, optional :: labels(:)
    type(nnb_result), intent(out) :: metrics
    integer, intent(out), optional :: status
    type(c_ptr) :: data, memory
    integer(c_int) :: failed
    memory = c_null_ptr
    call wrap(net, data, x, t, labels, weights, failed)
    if (failed == 0) failed = nnb_result_create('nnb_metrics'//c_null_char, memory)
    if (failed == 0) failed = c_evaluate(net%handle, data, memory)
    if (failed == 0) call metrics%read('nnb_metrics', memory)
    call nnb_free(memory)
    call c_data_destroy(data)
    call nnb_finish(failed, status)
  end subroutine

  !> y (n_out, n_rows) = net(x).
  subroutine net_predict(net, x, y, status)
    class(net_t), intent(in) :: net
    real(real_kind), intent(in), contiguous, target :: x(:, :)
    real(real_kind), intent(inout), contiguous, target :: y(:, :)
    integer, intent(out), optional :: status
    call nnb_finish(c_net_predict(net%handle, rows_of(x), rows_of(y)), status)
  end subroutine

  !> The class of each row, from 0.
  subroutine net_classify(net, x, labels, status)
    class(net_t), intent(in) :: net
    real(real_kind), intent(in), contiguous, target :: x(:, :)
    integer(c_int32_t), intent(out) :: labels(size(x, 2))
    integer, intent(out), optional :: status
    call nnb_finish(c_net_classify(net%handle, rows_of(x), labels), status)
  end subroutine

  !> jacobian (n_in, n_out, n_rows): jacobian(i, o, row) is the derivative of output o by input i.
  subroutine net_jacobian(net, x, jacobian, status)
    class(net_t), intent(in) :: net
    real(real_kind), intent(in), contiguous, target :: x(:, :)
    real(real_kind), intent(inout), contiguous, target :: jacobian(:, :, :)
    integer, intent(out), optional :: status
    call nnb_finish(c_net_jacobian(net%handle, rows_of(x), jacobians_of(jacobian)), status)
  end subroutine

  !> dy ← ∂y/∂x·u, the derivatives of the outputs along the columns of u.
  subroutine net_jvp(net, x, u, dy, status)
    class(net_t), intent(in) :: net
    real(real_kind), intent(in), contiguous, target :: x(:, :), u(:, :)
    real(real_kind), intent(inout), contiguous, target :: dy(:, :)
    integer, intent(out), optional :: status
    call nnb_finish(c_net_jvp(net%handle, rows_of(x), rows_of(u), rows_of(dy)), status)
  end subroutine

  !> h ← H·u, H the second derivatives of the sum of v·y by x, for each column.
  subroutine net_hvp(net, x, v, u, h, status)
    class(net_t), intent(in) :: net
    real(real_kind), intent(in), contiguous, target :: x(:, :), v(:, :), u(:, :)
    real(real_kind), intent(inout), contiguous, target :: h(:, :)
    integer, intent(out), optional :: status
    call nnb_finish(c_net_hvp(net%handle, rows_of(x), rows_of(v), rows_of(u), rows_of(h)), status)
  end subroutine

  ! ---- files, copies ----

  !> Writes the net as a safetensors file, atomically.
  subroutine net_save(net, path, status)
    class(net_t), intent(in) :: net
    character(*), intent(in) :: path
    integer, intent(out), optional :: status
    call nnb_finish(c_net_save(net%handle, trim(path)//c_null_char), status)
  end subroutine

  !> Reads a file of save, nnb_net_save or the command nnblas.
  subroutine net_load(net, path, status)
    class(net_t), intent(inout) :: net
    character(*), intent(in) :: path
    integer, intent(out), optional :: status
    call net%destroy()
    call nnb_finish(c_net_load(trim(path)//c_null_char, c_null_ptr, net%handle), status)
  end subroutine

  !> Makes other a copy of the net.
  subroutine net_copy_to(net, other, status)
    class(net_t), intent(in) :: net
    class(net_t), intent(inout) :: other
    integer, intent(out), optional :: status
    call other%destroy()
    call nnb_finish(c_net_copy(net%handle, other%handle), status)
  end subroutine

  !> Releases the net.  A net that was never made is accepted.
  subroutine net_destroy(net)
    class(net_t), intent(inout) :: net
    call c_net_destroy(net%handle)
    net%handle = c_null_ptr
  end subroutine

  ! ---- any function, any sum of squares ----

  !> Minimises f from x, as nnb_minimize.  lower, upper: bounds.
  subroutine minimize_it(eval, x, options, lower, upper, on_iteration, user, report, status)
    procedure(eval_function) :: eval
    real(real_kind), intent(inout) :: x(:)
    character(*), intent(in), optional :: options
    real(c_double), intent(in), contiguous, target, optional :: lower(:), upper(:)
    procedure(nnb_callback), optional :: on_iteration
    type(c_ptr), intent(in), optional :: user
    type(nnb_result), intent(out), optional :: report
    integer, intent(out), optional :: status
    type(fdf_t) :: f
    type(c_ptr) :: opts, memory
    integer(c_int) :: failed
    memory = c_null_ptr
    f%n = size(x, kind=c_size_t)
    f%eval = c_funloc(eval)
    if (present(user)) f%user = user
    call nnb_min_options(opts, failed, size(x), options, lower, upper, on_iteration)
    if (failed == 0) failed = nnb_result_create('nnb_min_report'//c_null_char, memory)
    if (failed == 0) failed = c_minimize(f, x, opts, memory)
    if (present(report) .and. c_associated(memory)) call report%read('nnb_min_report', memory)
    call nnb_free(memory)
    call nnb_min_opts_destroy(opts)
    call nnb_finish(failed, status)
  end subroutine

  !> Minimises half the sum of m squares from x, as nnb_least_squares.
  subroutine least_squares_it(rows, m, x, options, lower, upper, on_iteration, user, report, status)
    procedure(rows_function) :: rows
    integer, intent(in) :: m
    real(real_kind), intent(inout) :: x(:)
    character(*), intent(in), optional :: options
    real(c_double), intent(in), contiguous, target, optional :: lower(:), upper(:)
    procedure(nnb_callback), optional :: on_iteration
    type(c_ptr), intent(in), optional :: user
    type(nnb_result), intent(out), optional :: report
    integer, intent(out), optional :: status
    type(lsq_t) :: problem
    type(c_ptr) :: opts, memory
    integer(c_int) :: failed
    memory = c_null_ptr
    problem%m = int(m, c_size_t)
    problem%n = size(x, kind=c_size_t)
    problem%rows = c_funloc(rows)
    if (present(user)) problem%user = user
    call nnb_min_options(opts, failed, size(x), options, lower, upper, on_iteration)
    if (failed == 0) failed = nnb_result_create('nnb_min_report'//c_null_char, memory)
    if (failed == 0) failed = c_least_squares(problem, x, opts, memory)
    if (present(report) .and. c_associated(memory)) call report%read('nnb_min_report', memory)
    call nnb_free(memory)
    call nnb_min_opts_destroy(opts)
    call nnb_finish(failed, status)
  end subroutine
end module nnblas_single

module nnblas
  use nnblas_core
  use nnblas_double, only: nnb_net => net_t, minimize_double => minimize_it, least_squares_double => least_squares_it
  use nnblas_single, only: nnbf_net => net_t, minimize_single => minimize_it, least_squares_single => least_squares_it
  implicit none
  private :: minimize_double, minimize_single, least_squares_double, least_squares_single

  interface nnb_minimize
    procedure minimize_double, minimize_single
  end interface
  interface nnb_least_squares
    procedure least_squares_double, least_squares_single
  end interface
end module
