! The Fortran module: every call in double precision, the same through the same source in single precision, errors by
! status, callbacks, layouts.  Ends with 1 after the first failure.
program test_nnblas
  use, intrinsic :: iso_c_binding
  use nnblas
  use nnblas_double, only: view_t, batch_t, fdf_t, lsq_t, rows_of
  implicit none
  integer :: epochs_seen = 0, iterations_seen = 0
  real(c_double) :: last_f1 = -1, last_train_f1 = -1

  call layouts()
  call texts()
  call double_precision()
  call single_precision()
  call derivative_targets()
  call classes()
  call graphs()
  call refused()
  call minimisers()
  call many_fits()
  print '(a)', 'all passed'

contains

  subroutine check(good, what)
    logical, intent(in) :: good
    character(*), intent(in) :: what
    if (good) return
    print '(3a)', 'FAILED: ', what, '; last message: '//nnb_message()
    error stop 1
  end subroutine

  !> Sizes and a place in docs/abi.md, and that an array is passed as it lies.
  subroutine layouts()
    type(view_t) :: view
    type(batch_t) :: batch
    type(fdf_t) :: f
    type(lsq_t) :: problem
    real(c_double), target :: x(3, 5)
    call check(c_sizeof(view) == 24 .and. c_sizeof(batch) == 160, 'views and batches')
    call check(c_sizeof(f) == 96 .and. c_sizeof(problem) == 160, 'problems')
    view = rows_of(x)
    call check(c_associated(view%p, c_loc(x)), 'an array is not copied')
    call check(view%rows == 5 .and. view%cols == 3 .and. view%ld == 3, 'rows and columns')
  end subroutine

  subroutine texts()
    type(nnb_result) :: result
    character(1) :: n
    n = new_line('a')
    result%text = n//'loss=0.25'//n//'val_loss=nan'//n//'best_loss=inf'//n//'stop=target'//n//'restored=true'//n
    call check(abs(result%number('loss') - 0.25d0) < 1d-15, 'a number')
    call check(result%number('val_loss') /= result%number('val_loss'), 'NaN')
    call check(result%number('best_loss') > huge(1d0), 'infinity')
    call check(result%word('stop') == 'target' .and. result%word('top') == '', 'words')
    call check(result%number('restored') > 0 .and. result%number('stop') < -1d300, 'a truth, and no number')
    call check(index(nnb_version(), '.') > 0, 'version')
    call check(nnb_set_threads(1_c_int) == 0 .and. nnb_get_threads() == 1, 'threads')
    call check(nnb_set_threads(0_c_int) == 0, 'threads by default')
  end subroutine

  function count_epochs(user, record) bind(c) result(stop_now)
    type(c_ptr), value :: user, record
    integer(c_int) :: stop_now
    if (c_associated(user)) error stop 1
    epochs_seen = epochs_seen + 1
    if (nint(nnb_number_at(record, 'nnb_record', 'epoch')) /= epochs_seen) error stop 1
    stop_now = merge(1_c_int, 0_c_int, epochs_seen == 3)
  end function

  !> The metrics of a fit are numbers of its records.
  function see_metrics(user, record) bind(c) result(stop_now)
    type(c_ptr), value :: user, record
    integer(c_int) :: stop_now
    if (c_associated(user)) error stop 1
    last_f1 = nnb_number_at(record, 'nnb_record', 'f1')
    last_train_f1 = nnb_number_at(record, 'nnb_record', 'train_f1')
    stop_now = 0
  end function

  subroutine double_precision()
    integer, parameter :: n = 200
    type(nnb_net) :: net, other
    type(nnb_result) :: report, metrics
    real(c_double) :: x(1, n), t(1, n), y(1, n), z(1, n), jacobian(1, 1, n)
    real(c_double), pointer :: p(:)
    integer :: i, status
    x(1, :) = [(-3 + 6*(i - 1)/(n - 1d0), i=1, n)]
    t = sin(x)
    call net%parse('1-12:tanh-1')
    call check(net%n_in() == 1 .and. net%n_out() == 1, 'sizes')
    call net%fit(x, t, options='algo=lm max_epochs=60', report=report)
    call check(report%word('algo') == 'lm' .and. nint(report%number('batch')) == n, 'report')
    call net%predict(x, y)
    call check(maxval(abs(y - t)) < 0.02, 'predictions')
    call net%jacobian(x, jacobian)
    call check(maxval(abs(jacobian(1, 1, :) - cos(x(1, :)))) < 0.2, 'jacobian')
    call net%jvp(x, x, y)
    call check(maxval(abs(y - jacobian(:, 1, :)*x)) < 1d-12, 'jvp')
    call net%hvp(x, y, x, z)
    call check(all(abs(z) < huge(1d0)), 'hvp')
    call net%predict(x, y)
    call net%evaluate(x, t, metrics=metrics)
    call check(abs(metrics%number('rmse') - sqrt(sum((y - t)**2)/n)) < 1d-12, 'metrics')
    call net%save('net.safetensors')
    call other%load('net.safetensors')
    call other%predict(x, z)
    call check(all(y == z), 'a file has the same bits')
    call net%copy_to(other)
    p => other%params()
    call check(size(p) == 37, 'number of parameters')
    p = 0
    call other%predict(x, z)
    call check(all(abs(z) < tiny(1d0)), 'parameters are the memory of the net')
    call other%init(3)
    call other%fit(x, t, x_val=x, t_val=t, weights=[(1d0, i=1, n)], options='algo=rprop', on_epoch=count_epochs, report=report)
    call check(epochs_seen == 3 .and. report%word('stop') == 'user', 'callback')
    call other%destroy()
    call other%destroy()
    call other%predict(x, z, status)
    call check(status < 0, 'a destroyed net is refused')
    call net%destroy()
  end subroutine

  subroutine single_precision()
    integer, parameter :: n = 100
    type(nnbf_net) :: net
    real(c_float) :: x(2, n), t(1, n), y(1, n), jacobian(2, 1, n)
    integer :: i
    x(1, :) = [(3*sin(real(i)), i=1, n)]
    x(2, :) = [(2*cos(real(3*i)), i=1, n)]
    t(1, :) = 5 + x(1, :)*x(2, :)
    call net%create(2)
    call net%seed(2)
    call net%standardize(x, t)
    call check(net%layer('16:tanh') == 2, 'a layer')
    call check(net%layer('1') == 3, 'the next layer')
    call net%fit(x, t, options='algo=lbfgs max_epochs=300')
    call net%predict(x, y)
    call check(maxval(abs(y - t)) < 1, 'predictions in single precision')
    call net%jacobian(x, jacobian)
    call check(sum(abs(jacobian(1, 1, :) - x(2, :)))/n < 0.5, 'jacobian in single precision')
    call net%destroy()
  end subroutine

  !> Few rows: the slopes between them come from the targets of derivatives; other shapes are refused.
  subroutine derivative_targets()
    integer, parameter :: n = 6, m = 41
    type(nnb_net) :: net
    type(nnbf_net) :: single
    real(c_double) :: x(2, n), t(1, n), dt(2, 1, n), z(2, m), y(1, m), far(2)
    integer :: i, k, status
    x(1, :) = [(-2 + 4*(i - 1)/(n - 1d0), i=1, n)]
    x(2, :) = cos(2*x(1, :))
    t(1, :) = sin(2*x(1, :)) + x(2, :)
    dt(1, 1, :) = 2*cos(2*x(1, :))
    dt(2, 1, :) = 1
    z(1, :) = [(-2 + 4*(i - 1)/(m - 1d0), i=1, m)]
    z(2, :) = cos(2*z(1, :))
    do k = 1, 2
      call net%parse('2-16:tanh-1')
      if (k == 1) call net%fit(x, t, options='algo=lbfgs max_epochs=400')
      if (k == 2) call net%fit(x, t, options='algo=lbfgs max_epochs=400', derivatives=dt)
      call net%predict(z, y)
      far(k) = maxval(abs(y(1, :) - sin(2*z(1, :)) - z(2, :)))
    end do
    call check(far(2) < 0.1*far(1), 'slopes as targets')
    call net%fit(x, t, options='algo=lbfgs', status=status, derivatives=dt(:, :, 2:))
    call check(status < 0 .and. index(nnb_message(), 'dt') > 0, 'too few rows of derivatives')
    call net%fit(x, t, options='algo=lbfgs', status=status, derivatives=dt(1:1, :, :))
    call check(status < 0 .and. index(nnb_message(), 'dt') > 0, 'derivatives by too few inputs')
    call net%destroy()
    call single%parse('2-16:tanh-1')
    call single%fit(real(x, c_float), real(t, c_float), options='algo=lbfgs', derivatives=real(dt, c_float))
    call single%destroy()
  end subroutine

  subroutine classes()
    integer, parameter :: n = 90
    type(nnb_net) :: net
    type(nnb_result) :: metrics
    real(c_double) :: x(2, n)
    integer(c_int32_t) :: labels(n), found(n)
    integer :: i
    labels = [(mod(i, 3), i=1, n)]
    x(1, :) = labels + 0.2d0*sin([(real(7*i, c_double), i=1, n)])
    x(2, :) = 0.3d0*cos([(real(5*i, c_double), i=1, n)])
    call net%parse('2-8:tanh-3:softmax')
    call net%fit(x, labels=labels, options='algo=lbfgs max_epochs=50')
    call net%classify(x, found)
    call check(count(found == labels) > 85, 'classes')
    call net%fit(x, labels=labels, x_val=x(:, :9), labels_val=labels(:9), on_epoch=see_metrics, &
      options='algo=rprop max_epochs=1 metrics=f1 train_metrics=true')
    call check(last_f1 > 0 .and. last_f1 <= 1 .and. last_train_f1 > 0 .and. last_train_f1 <= 1, 'metrics of an epoch')
    call net%classify(x, found)
    call net%evaluate(x, labels=labels, metrics=metrics)
    call check(abs(metrics%number('accuracy') - count(found == labels)/real(n, c_double)) < 1d-12, 'accuracy')
    call net%destroy()
  end subroutine

  subroutine graphs()
    type(nnb_net) :: net
    real(c_double) :: x(4, 3), y(5, 3)
    integer :: h, g, s
    call net%create(3)
    s = net%input(1)
    h = net%layer('2:tanh:name=h', from=1)
    g = net%layer('2', from=s)
    s = net%activation('relu', from=net%add([h, g]))
    call net%output(net%concat([s, 1]))
    call net%loss('huber')
    x = 1
    call net%predict(x, y)
    call check(net%n_in() == 4 .and. net%n_out() == 5, 'a graph')
    call check(all(y(3:5, :) == 1), 'its outputs')
    call net%destroy()
  end subroutine

  subroutine refused()
    type(nnb_net) :: net
    real(c_double) :: x(2, 4), t(1, 5)
    integer :: node, status
    call net%parse('2-x', status)
    call check(status == -6 .and. index(nnb_message(), 'character 3') > 0, 'a malformed text')
    call net%parse('2-1')
    x = 0
    t = 0
    call net%fit(x, t, status=status)
    call check(status == -3 .and. index(nnb_message(), 't has 5 rows; x has 4') > 0, 'other rows')
    call net%fit(x, t(:, :4), options='algo=lmm', status=status)
    call check(status == -6 .and. index(nnb_message(), 'did you mean lm?') > 0, 'a wrong option')
    call net%predict(x, t, status)
    call check(status == -3, 'another shape')
    call net%load('/nowhere/net', status)
    call check(status == -7, 'no such file')
    call net%create(2)
    call net%loss('msee', status)
    call check(status == -2 .and. index(nnb_message(), 'did you mean mse?') > 0, 'no such loss')
    node = net%layer('1')
    call check(node == -2 .and. net%n_in() == 0 .and. net%n_out() == 0, 'the error stays in the net')
    call check(.not. associated(net%params()), 'a net with an error has no parameters')
    call net%fit(x, t(:, :4), status=status)
    call check(status == -2, 'a fit returns it')
    call net%create(2)
    node = net%activation('tan', status=status)
    call check(node == -2 .and. status == -2, 'no such activation')
    call check(index(nnb_message(), 'did you mean tanh?') > 0, 'the nearest activation')
    call net%predict(x, t(:, :4), status)
    call check(status == -2, 'the error of an activation stays in the net')
    node = net%activation('sigmoidd', status=status)
    call check(status == -2 .and. index(nnb_message(), 'sigmoidd') == 0, 'the first error keeps its message')
    call net%create(0, status)
    call check(status < 0 .and. len(nnb_message()) > 0, 'no inputs')
    call net%create(2, status)
    node = net%activation('tanh', from=7, status=status)
    call check(node < 0 .and. status == node, 'an activation of no node')
    call net%create(2, status)
    call check(status == 0, 'a net')
    node = net%activation('tanh', status=status)
    call check(node == 2 .and. status == 0, 'an activation')
    call net%destroy()
  end subroutine

  function rosenbrock(user, x, f, g) bind(c) result(status)
    type(c_ptr), value :: user, g
    real(c_double), intent(in) :: x(*)
    real(c_double), intent(out) :: f
    integer(c_int) :: status
    real(c_double), pointer :: slope(:)
    if (c_associated(user)) error stop 1
    f = (1 - x(1))**2 + 100*(x(2) - x(1)**2)**2
    status = 0
    if (.not. c_associated(g)) return
    call c_f_pointer(g, slope, [2])
    slope = [-2*(1 - x(1)) - 400*x(1)*(x(2) - x(1)**2), 200*(x(2) - x(1)**2)]
  end function

  function bowl(user, x, f, g) bind(c) result(status)
    type(c_ptr), value :: user, g
    real(c_float), intent(in) :: x(*)
    real(c_double), intent(out) :: f
    integer(c_int) :: status
    real(c_float), pointer :: slope(:)
    if (c_associated(user)) error stop 1
    f = real((x(1) - 2)**2, c_double)
    status = 0
    if (.not. c_associated(g)) return
    call c_f_pointer(g, slope, [1])
    slope = 2*(x(1) - 2)
  end function

  !> r_i = x_1·exp(-x_2·u_i) - d_i at u_i = i/10, with d of x = (3, 0.7).
  function decay(user, x, row0, k, r, jacobian, ldj) bind(c) result(status)
    type(c_ptr), value :: user, jacobian
    real(c_double), intent(in) :: x(*)
    integer(c_size_t), value :: row0
    integer(c_int), value :: k, ldj
    real(c_double), intent(out) :: r(k)
    integer(c_int) :: status
    real(c_double), pointer :: j(:, :)
    real(c_double) :: u(k)
    integer :: i
    if (c_associated(user)) error stop 1
    u = [(real(row0 + i, c_double)/10, i=1, k)]
    r = x(1)*exp(-x(2)*u) - 3*exp(-0.7d0*u)
    status = 0
    if (.not. c_associated(jacobian)) return
    call c_f_pointer(jacobian, j, [ldj, k])
    j(1, :) = exp(-x(2)*u)
    j(2, :) = -x(1)*u*exp(-x(2)*u)
  end function

  function failing(user, x, f, g) bind(c) result(status)
    type(c_ptr), value :: user, g
    real(c_double), intent(in) :: x(*)
    real(c_double), intent(out) :: f
    integer(c_int) :: status
    if (c_associated(user)) error stop 1
    f = x(1)
    status = merge(-7_c_int, -8_c_int, c_associated(g))
  end function

  function count_iterations(user, record) bind(c) result(stop_now)
    type(c_ptr), value :: user, record
    integer(c_int) :: stop_now
    if (c_associated(user)) error stop 1
    iterations_seen = nint(nnb_number_at(record, 'nnb_min_record', 'iteration'))
    stop_now = merge(1_c_int, 0_c_int, iterations_seen == 4)
  end function

  subroutine minimisers()
    real(c_double) :: x(2)
    real(c_float) :: z(1)
    type(nnb_result) :: report
    integer :: status
    x = [-1.2d0, 1d0]
    call nnb_minimize(rosenbrock, x, report=report)
    call check(maxval(abs(x - 1)) < 1d-6 .and. report%word('algo') == 'lbfgs', 'minimise')
    x = [-1.2d0, 1d0]
    call nnb_minimize(rosenbrock, x, lower=[-2d0, -2d0], upper=[0.5d0, 2d0], options='algo=lbfgs')
    call check(maxval(abs(x - [0.5d0, 0.25d0])) < 1d-6, 'bounds')
    x = [-1.2d0, 1d0]
    call nnb_minimize(rosenbrock, x, on_iteration=count_iterations, report=report)
    call check(iterations_seen == 4 .and. report%word('stop') == 'user', 'iterations')
    z = 0
    call nnb_minimize(bowl, z)
    call check(abs(z(1) - 2) < 1e-3, 'minimise in single precision')
    x = [1d0, 1d0]
    call nnb_least_squares(decay, 40, x, report=report)
    call check(maxval(abs(x - [3d0, 0.7d0])) < 1d-8 .and. report%word('algo') == 'lm', 'least squares')
    call nnb_minimize(failing, x, status=status)
    call check(status == -7, 'the error of a function')
    call nnb_least_squares(decay, 40, x, options='algo=lbfgs', status=status)
    call check(status == -2, 'a method for other problems')
  end subroutine

  !> Options, reports and data of a fit are released: the resident memory stays.
  subroutine many_fits()
    real(c_double) :: x(1, 20), t(1, 20)
    type(nnb_net) :: net
    type(nnb_result) :: report
    integer :: i, before, status
    x(1, :) = [(real(i, c_double), i=1, 20)]
    t = x**2
    before = 0
    do i = 1, 3000
      call net%parse('1-4:tanh-1')
      call net%fit(x, t, options='algo=rprop max_epochs=2', report=report)
      call net%fit(x, t, options='algo=none', status=status)
      if (i == 1000) before = resident()
    end do
    call net%destroy()
    call check(resident() - before < 1000, 'memory grows with the number of fits')
  end subroutine

  !> Resident memory in KiB.
  function resident() result(pages)
    integer :: pages, unit, total, status
    pages = 0
    open (newunit=unit, file='/proc/self/statm', action='read', iostat=status)
    if (status /= 0) return
    read (unit, *) total, pages
    pages = pages*4
    close (unit)
  end function
end program
