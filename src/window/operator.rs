//! The window operator: batches go in, the rows of windows come out.

mod answer;

use arrow_array::RecordBatch;
use arrow_array::UInt32Array;
use arrow_schema::Schema;
use arrow_schema::SchemaRef;
use arrow_select::concat::concat_batches;
use arrow_select::take::take;

use crate::threads::Threads;
use crate::window::WindowError;
use crate::window::bind::Plan;
use crate::window::group::Groups;
use crate::window::late::LateRows;
use crate::window::pane::Geometry;
use crate::window::pane::Panes;
use crate::window::passage::Passage;
use crate::window::rolling::Rolling;
use crate::window::session::Sessions;
use crate::window::slot::ClosedWindow;
use crate::window::slot::Feed;
use crate::window::slot::Ledger;
use crate::window::slot::ResultRow;
use crate::window::sorted::Sorted;
use crate::window::spec::Arrivals;
use crate::window::spec::NullTimes;
use crate::window::spec::Order;
use crate::window::spec::QuerySpec;
use crate::window::spec::Window;
use crate::window::time::bounds;
use crate::window::watermark::Watermark;

/// What one operator has seen and done.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Stats {
    /// Rows that came, late ones and those without a time included.
    pub rows: u64,
    /// Rows that missed every window of theirs.
    pub late_rows: u64,
    /// Rows that missed some of their windows and were counted in others.
    pub partly_late_rows: u64,
    /// Rows left out because their time is null.
    pub null_time_rows: u64,
    /// Result rows of closed windows, a window of a key each, taken or waiting to be.
    pub windows: u64,
    /// States held: one for every pane or session of a key, and for every row in a rolling window.
    pub open_windows: usize,
    /// The watermark, in ticks of the output's unit.
    pub watermark: Option<i64>,
    /// The latest event time, in ticks of the output's unit.
    pub max_event_time: Option<i64>,
    /// The furthest that a late row was behind the watermark, in ticks of the output's unit.
    pub max_lateness: Option<i64>,
}

/// What the kinds of windows differ in.
#[derive(Debug)]
enum Kind {
    Panes(Box<Panes>),
    Rolling(Rolling),
    Sessions(Sessions),
}

impl Kind {
    fn new(spec: &QuerySpec, plan: &Plan, order: Order) -> Self {
        let ticks = |span| plan.ticks(span);
        match spec.window {
            Window::Cumulate { size, step, offset } => Self::Panes(Box::new(Panes::new(
                Geometry::cumulate(ticks(size), ticks(step), ticks(offset)),
            ))),
            Window::Hop { size, slide, offset } => Self::Panes(Box::new(Panes::new(
                Geometry::hop(ticks(size), ticks(slide), ticks(offset)),
            ))),
            Window::Rolling { size } => {
                Self::Rolling(Rolling::new(ticks(size), plan.output.clone()))
            }
            Window::Session { gap } => {
                Self::Sessions(Sessions::new(ticks(gap), order == Order::Arrival))
            }
            Window::Tumble { size, offset } => {
                Self::Panes(Box::new(Panes::new(Geometry::tumble(ticks(size), ticks(offset)))))
            }
        }
    }
}

/// One windowed aggregation over rows in order of arrival.
///
/// One operator answers either final rows (`take_closed`) or changes (`take_changes`): both take the rows of
/// windows that closed.
#[derive(Debug)]
pub struct Operator {
    spec: QuerySpec,
    plan: Plan,
    order: Order,
    groups: Groups,
    ledger: Ledger,
    kind: Kind,
    watermark: Watermark,
    late: LateRows,
    /// The rows of windows that closed and were not taken yet.
    closed: Vec<ResultRow>,
    /// How many rows of closed windows were taken, ever.
    taken: u64,
    is_finished: bool,
    /// How many rows are to come, as far as is known.
    expected_rows: u64,
    stats: Stats,
}

impl Operator {
    /// Binds a query to the columns of its input.
    ///
    /// # Errors
    ///
    /// The query names what is not there, or asks for what cannot be.
    pub fn new(spec: QuerySpec, input: &Schema, order: Order) -> Result<Self, WindowError> {
        let plan = Plan::new(&spec, input)?;
        let ledger = Ledger::new(plan.kernels(&spec)?);
        Self::with_states(spec, plan, order, ledger)
    }

    /// Makes an operator of the same query without any rows, to be merged later.
    ///
    /// # Errors
    ///
    /// Arrow refused to make its row format anew.
    pub fn fresh(&self) -> Result<Self, WindowError> {
        let ledger = self.ledger.fresh();
        Self::with_states(self.spec.clone(), self.plan.clone(), self.order, ledger)
    }

    /// Lets the rows of rolling windows be answered on several threads, once all are there; the answer is the same.
    pub fn use_threads(&mut self, threads: Threads) {
        if let Kind::Rolling(rolling) = &mut self.kind {
            rolling.use_threads(threads);
        }
    }

    /// Says how many rows are to come, so that memory for what they need is taken at once.
    pub fn expect_rows(&mut self, rows: u64) {
        self.expected_rows = rows;
    }

    /// Takes rows in, in order of arrival; row `r` has the ordinal `first_ordinal + r`.
    ///
    /// # Errors
    ///
    /// A column changed or a time cannot be read; then nothing of the batch was applied.
    pub fn push(
        &mut self,
        batch: &RecordBatch,
        first_ordinal: u64,
        arrivals: Arrivals<'_>,
    ) -> Result<(), WindowError> {
        if self.is_finished {
            return Err(WindowError::Finished);
        }
        let rows = batch.num_rows();
        check_arrivals(rows, arrivals)?;
        if rows == 0 {
            return Ok(());
        }
        let columns = self.plan.columns(batch)?;
        let ticks = self.plan.time.read(&columns[0], first_ordinal)?;
        let null_rows = rows - ticks.present.as_ref().map_or(rows, Vec::len);
        if 0 < null_rows && self.spec.null_times == NullTimes::Raise {
            return Err(self.null_times(null_rows, ticks.present.as_deref(), first_ordinal));
        }
        let codes = self.groups.encode(self.plan.keys(&columns), rows)?;
        let feed = Feed {
            columns: self.ledger.inputs(&columns),
            times: &ticks.values,
            ticks: &ticks.values,
            codes: &codes,
            present: ticks.present.as_deref(),
            first_ordinal,
        };
        self.expected_rows = self.expected_rows.saturating_sub(rows as u64);
        match self.order {
            Order::Arrival => self.take_in_time(&feed, arrivals)?,
            Order::Event => {
                self.ledger.foresee(self.stats.rows, rows, self.expected_rows);
                self.take_all(&feed);
            }
        }
        self.count(&feed, null_rows);
        self.late.keep(&self.plan.late_columns(&columns), first_ordinal)?;
        self.reclaim();
        Ok(())
    }

    /// Lets time pass without rows: past the idle timeout the watermark goes on with the clock.
    pub fn tick(&mut self, now_ms: i64) {
        if self.order == Order::Arrival && !self.is_finished {
            self.watermark.tick(now_ms);
        }
    }

    /// Ends the input: every window closes.
    ///
    /// # Errors
    ///
    /// An answer cannot be computed.
    pub fn finish(&mut self) -> Result<(), WindowError> {
        self.is_finished = true;
        self.watermark.finish();
        self.settle()
    }

    /// Answers the final rows of windows that closed since the last call.
    ///
    /// Every window of a key is answered once, when nothing can change it any more. Rows are sorted by window start, window
    /// end and keys; those of rolling windows by time and ordinal.
    ///
    /// # Errors
    ///
    /// An answer cannot be computed, a sum past 64 bits for one; nothing is taken then.
    pub fn take_closed(&mut self) -> Result<RecordBatch, WindowError> {
        let mut batches = self.take_closed_batches()?;
        match batches.pop() {
            Some(batch) if batches.is_empty() => Ok(batch),
            last => Ok(concat_batches(&self.plan.output, batches.iter().chain(&last))?),
        }
    }

    /// Answers the same rows as `take_closed`, in as many batches as they were computed in: those of rolling windows are
    /// many, and to join them costs as much as to compute them. None of them is empty.
    ///
    /// # Errors
    ///
    /// An answer cannot be computed; nothing is taken then.
    pub fn take_closed_batches(&mut self) -> Result<Vec<RecordBatch>, WindowError> {
        self.settle()?;
        if let Kind::Rolling(rolling) = &mut self.kind {
            return Ok(rolling.take_closed());
        }
        if let Kind::Panes(panes) = &mut self.kind {
            let closed = panes.take_closed();
            return self.answer_panes(closed);
        }
        let closed = std::mem::take(&mut self.closed);
        let answer = self.answer(&closed);
        if answer.is_err() {
            self.closed = closed;
        } else {
            self.release(closed.len(), closed.iter().map(|row| row.slot));
        }
        Ok(Some(answer?).filter(|batch| 0 < batch.num_rows()).into_iter().collect())
    }

    /// Answers the present rows of windows that changed since the last call, and the last rows of those that closed.
    ///
    /// A row replaces the one before of the same window and keys. Sessions grow, so one answered before may be part of a
    /// longer one now. Rolling windows are answered once, when they are final.
    ///
    /// # Errors
    ///
    /// An answer cannot be computed; nothing is taken then.
    pub fn take_changes(&mut self) -> Result<RecordBatch, WindowError> {
        self.settle()?;
        let mut borrowed = Vec::new();
        let changed = match &mut self.kind {
            Kind::Panes(panes) => panes.changes(&mut self.ledger, &mut borrowed),
            Kind::Rolling(_) => return self.take_closed(),
            Kind::Sessions(sessions) => sessions.changes(&self.ledger),
        };
        let mut rows = match &mut self.kind {
            Kind::Panes(panes) => {
                self.closed.extend(panes.take_closed().iter().flat_map(ClosedWindow::rows));
                self.closed.clone()
            }
            Kind::Rolling(_) | Kind::Sessions(_) => self.closed.clone(),
        };
        rows.extend(changed);
        let answer = self.answer(&rows);
        self.ledger.release(&borrowed);
        if answer.is_ok() {
            self.ledger.forget_changes();
            let closed = std::mem::take(&mut self.closed);
            self.release(closed.len(), closed.iter().map(|row| row.slot));
        }
        answer
    }

    /// Answers the rows that came too late since the last call.
    ///
    /// # Errors
    ///
    /// Arrow refused to join them.
    pub fn take_late(&mut self) -> Result<RecordBatch, WindowError> {
        self.late.take()
    }

    /// Takes in the partial states of another operator of the same query, of another shard or thread.
    ///
    /// # Errors
    ///
    /// The queries differ, their order is not that of events, or one of them is finished.
    pub fn merge(&mut self, other: Self) -> Result<(), WindowError> {
        if self.order != Order::Event || other.order != Order::Event {
            return Err(WindowError::MergeOfArrivals);
        }
        if self.spec != other.spec || !self.plan.is_same(&other.plan) {
            return Err(WindowError::MergeOfQueries);
        }
        if self.is_finished || other.is_finished {
            return Err(WindowError::Finished);
        }
        let codes = self.groups.translate(&other.groups, &other.ledger.held_codes())?;
        match (&mut self.kind, other.kind) {
            (Kind::Panes(panes), Kind::Panes(others)) => {
                panes.merge(&others, &codes, &mut self.ledger, &other.ledger);
            }
            (Kind::Rolling(rolling), Kind::Rolling(others)) => {
                rolling.merge(others, &codes, &mut self.ledger);
            }
            (Kind::Sessions(sessions), Kind::Sessions(others)) => {
                sessions.merge(&others, &codes, &mut self.ledger, &other.ledger);
            }
            _ => return Err(WindowError::MergeOfQueries),
        }
        self.stats.rows += other.stats.rows;
        self.stats.null_time_rows += other.stats.null_time_rows;
        self.stats.max_event_time = self.stats.max_event_time.max(other.stats.max_event_time);
        self.stats.open_windows = self.ledger.live();
        Ok(())
    }

    /// Answers the windows over the rows of all `parts`, each of which took a run of the rows in, one behind the other: what
    /// one operator that had taken all would answer, and count. The parts answer at once, a thread each.
    ///
    /// # Errors
    ///
    /// An answer cannot be computed.
    pub fn answer_together(mut parts: Vec<Self>) -> Result<(Vec<RecordBatch>, Stats), WindowError> {
        let mut stats = Stats::default();
        for part in &parts {
            stats.rows += part.stats.rows;
            stats.null_time_rows += part.stats.null_time_rows;
            stats.max_event_time = stats.max_event_time.max(part.stats.max_event_time);
        }
        if 1 < parts.len() && parts.iter().all(Self::answers_apart) {
            let cuts = Self::divide_time(&mut parts)?;
            let answers = Threads::on_all(parts.into_iter().zip(cuts).collect(), |(part, cut)| {
                part.answer_until(cut)
            });
            let answers = answers.into_iter().collect::<Result<Vec<_>, _>>()?;
            let batches = answers.concat();
            stats.windows = batches.iter().map(|batch| batch.num_rows() as u64).sum();
            return Ok((batches, stats));
        }
        let mut parts = parts.into_iter();
        let Some(mut first) = parts.next() else { return Ok((Vec::new(), stats)) };
        for part in parts {
            first.merge(part)?;
        }
        first.finish()?;
        Ok((first.take_closed_batches()?, *first.stats()))
    }

    /// Whether it matters when each row arrived, rather than in which order rows did.
    pub fn heeds_arrivals(&self) -> bool {
        self.order == Order::Arrival && self.watermark.has_idle_timeout()
    }

    /// Whether its rows may be divided among operators whose answers are put together.
    pub fn is_divisible(&self) -> bool {
        self.order == Order::Event
    }

    /// The columns of results.
    pub fn output_schema(&self) -> SchemaRef {
        self.plan.output.clone()
    }

    /// The columns of late rows.
    pub fn late_schema(&self) -> SchemaRef {
        self.plan.late.clone()
    }

    /// What was seen and done so far.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// The heap bytes of states and keys, about.
    pub fn bytes(&self) -> usize {
        self.ledger.bytes() + self.groups.bytes()
    }

    fn with_states(
        spec: QuerySpec,
        plan: Plan,
        order: Order,
        ledger: Ledger,
    ) -> Result<Self, WindowError> {
        let kind = Kind::new(&spec, &plan, order);
        let watermark = Watermark::new(
            plan.ticks(spec.watermark),
            plan.ticks(spec.allowed_lateness),
            // A part of a millisecond never passes alone: the clock of arrivals has whole ones.
            spec.idle_timeout.map(|idle| (idle.nanos() - 1) / 1_000_000 + 1),
            plan.time.ticks_per_ms(),
        );
        let groups = Groups::new(&plan.key_types())?;
        let late = LateRows::new(plan.late.clone());
        Ok(Self {
            spec,
            plan,
            order,
            groups,
            ledger,
            kind,
            watermark,
            late,
            closed: Vec::new(),
            taken: 0,
            is_finished: false,
            expected_rows: 0,
            stats: Stats::default(),
        })
    }

    /// Whether operators hand windows on at cuts; rolling ones are merged instead, and their rows answered on threads.
    fn answers_apart(&self) -> bool {
        self.is_divisible() && !matches!(self.kind, Kind::Rolling(_))
    }

    /// Divides time among the parts: each is to answer the windows up to its cut, and past the cut before.
    fn divide_time(parts: &mut [Self]) -> Result<Vec<i64>, WindowError> {
        let mut cuts = vec![i64::MAX; parts.len()];
        let mut earliest = i64::MAX;
        for (part, cut) in parts.iter_mut().zip(&mut cuts).rev() {
            *cut = earliest;
            earliest = earliest.min(part.earliest().unwrap_or(i64::MAX));
        }
        for index in 1..parts.len() {
            if let [part, next] = &mut parts[index - 1..=index] {
                part.hand_on(cuts[index - 1], next)?;
            }
        }
        for index in (1..parts.len()).rev() {
            if let [part, next] = &mut parts[index - 1..=index] {
                next.hand_back(cuts[index - 1], part)?;
            }
        }
        Ok(cuts)
    }

    /// When the first of its windows to answer begins, once no rows come any more.
    fn earliest(&mut self) -> Option<i64> {
        match &mut self.kind {
            Kind::Panes(panes) => panes.earliest(),
            Kind::Rolling(_) => None,
            Kind::Sessions(sessions) => {
                sessions.take_no_more();
                sessions.earliest()
            }
        }
    }

    /// Hands what rows from a cut on may belong to, or windows past it, to the next part: little where rows are nearly in
    /// order.
    fn hand_on(&mut self, cut: i64, next: &mut Self) -> Result<(), WindowError> {
        match (&mut self.kind, &mut next.kind) {
            (Kind::Panes(panes), Kind::Panes(others)) => {
                let shared = panes.past(cut);
                let codes = distinct(&panes.codes(&shared, &self.ledger));
                let codes = next.groups.translate(&self.groups, &codes)?;
                others.take_over(panes, &shared, &codes, &mut next.ledger, &self.ledger);
                others.start_from(cut);
            }
            (Kind::Sessions(sessions), Kind::Sessions(others)) => {
                let handed = sessions.take_past(cut);
                let codes = distinct(&handed.codes(&self.ledger));
                let codes = next.groups.translate(&self.groups, &codes)?;
                others.join(&handed, &codes, &mut next.ledger, &self.ledger);
            }
            _ => {}
        }
        Ok(())
    }

    /// Hands whole sessions that start before a cut to the part before, so that the answers of one part come before those
    /// of the next.
    fn hand_back(&mut self, cut: i64, before: &mut Self) -> Result<(), WindowError> {
        if let (Kind::Sessions(sessions), Kind::Sessions(others)) =
            (&mut self.kind, &mut before.kind)
        {
            let handed = sessions.take_before(cut);
            let codes = distinct(&handed.codes(&self.ledger));
            let codes = before.groups.translate(&self.groups, &codes)?;
            others.take_over(&handed, &codes, &mut before.ledger, &self.ledger);
        }
        Ok(())
    }

    /// Answers the windows that end at or before a cut; the rest is somebody else's.
    fn answer_until(mut self, cut: i64) -> Result<Vec<RecordBatch>, WindowError> {
        match &mut self.kind {
            Kind::Panes(panes) => {
                panes.close(cut, &mut self.ledger);
                let closed = panes.take_closed();
                self.answer_windows(&closed)
            }
            Kind::Rolling(_) => Ok(Vec::new()),
            Kind::Sessions(sessions) => {
                // Those past the cut were handed on.
                sessions.close(i64::MAX, &self.ledger, &mut self.closed);
                let batch = self.answer(&self.closed)?;
                Ok(Some(batch).filter(|batch| 0 < batch.num_rows()).into_iter().collect())
            }
        }
    }

    /// Answers windows of panes that closed; they are put back where that fails.
    fn answer_panes(
        &mut self,
        mut closed: Vec<ClosedWindow>,
    ) -> Result<Vec<RecordBatch>, WindowError> {
        // Those that were asked for as changes, and could not be answered.
        let rows = std::mem::take(&mut self.closed);
        for of_window in rows.chunk_by(|a, b| (a.start, a.end) == (b.start, b.end)) {
            let slots = of_window.iter().map(|row| row.slot).collect();
            closed.push(ClosedWindow { start: of_window[0].start, end: of_window[0].end, slots });
        }
        let answer = self.answer_windows(&closed);
        if answer.is_ok() {
            let count = closed.iter().map(|window| window.slots.len()).sum();
            self.release(count, closed.into_iter().flat_map(|window| window.slots));
        } else if let Kind::Panes(panes) = &mut self.kind {
            panes.put_back(closed);
        }
        answer
    }

    fn take_all(&mut self, feed: &Feed<'_>) {
        match &mut self.kind {
            Kind::Panes(panes) => panes.take_all(feed, &mut self.ledger),
            Kind::Rolling(rolling) => rolling.take_all(feed, &mut self.ledger),
            Kind::Sessions(sessions) => sessions.take_all(feed, &mut self.ledger),
        }
    }

    /// Takes rows in one by one against the watermark.
    fn take_in_time(&mut self, feed: &Feed<'_>, arrivals: Arrivals<'_>) -> Result<(), WindowError> {
        let each_ms = match arrivals {
            Arrivals::At(now_ms) => {
                self.watermark.arrive(now_ms);
                None
            }
            Arrivals::Each(each_ms) => self.watermark.has_idle_timeout().then_some(each_ms),
        };
        let mut passage = Passage {
            watermark: &mut self.watermark,
            late: &mut self.late,
            closed: &mut self.closed,
            each_ms,
            arrived: 0,
        };
        match &mut self.kind {
            Kind::Panes(panes) => panes.take_in_time(feed, &mut self.ledger, &mut passage),
            Kind::Rolling(rolling) => {
                rolling.take_in_time(feed, &mut self.ledger, &self.groups, &mut passage)?;
            }
            Kind::Sessions(sessions) => sessions.take_in_time(feed, &mut self.ledger, &mut passage),
        }
        Ok(())
    }

    /// Closes what the watermark has passed.
    fn settle(&mut self) -> Result<(), WindowError> {
        let closing = self.watermark.closing();
        match &mut self.kind {
            Kind::Panes(panes) => panes.close(closing, &mut self.ledger),
            Kind::Rolling(rolling) => rolling.close(closing, &mut self.ledger, &self.groups)?,
            Kind::Sessions(sessions) => sessions.close(closing, &self.ledger, &mut self.closed),
        }
        self.count_windows();
        Ok(())
    }

    /// Sorts result rows and computes their columns.
    fn answer(&self, rows: &[ResultRow]) -> Result<RecordBatch, WindowError> {
        let codes: Vec<u32> = rows.iter().map(|row| self.ledger.code(row.slot)).collect();
        let ranked = self.groups.ranked(&distinct(&codes))?;
        let rank = |slot: u32| ranked.ranks[self.ledger.code(slot) as usize];
        let Sorted { starts, ends, ranks, slots } = match &self.kind {
            Kind::Sessions(_) => Sorted::by_starts(rows, rank),
            Kind::Panes(_) | Kind::Rolling(_) => Sorted::by_windows(rows, rank),
        };
        let mut columns = vec![self.plan.instants(starts)?, self.plan.instants(ends)?];
        let ranks = UInt32Array::from(ranks);
        for column in &ranked.columns {
            columns.push(take(column, &ranks, None)?);
        }
        columns.extend(self.ledger.finish(&slots)?);
        Ok(RecordBatch::try_new(self.plan.output.clone(), columns)?)
    }

    /// Empties the slots of rows that were answered.
    fn release(&mut self, count: usize, slots: impl Iterator<Item = u32>) {
        self.taken += count as u64;
        if self.is_finished {
            // Nothing comes after these: they need no tidying up.
            self.ledger = self.ledger.fresh();
            return self.count_windows();
        }
        self.ledger.release(&slots.collect::<Vec<u32>>());
        self.count_windows();
        self.reclaim();
    }

    /// Gives the codes of groups that hold nothing to other keys.
    fn reclaim(&mut self) {
        self.ledger.suspect(&self.groups.take_new());
        self.groups.reclaim(&self.ledger.idle_codes());
    }

    fn count(&mut self, feed: &Feed<'_>, null_rows: usize) {
        let latest = match feed.present {
            None => Some(bounds(feed.times).1),
            Some(rows) => rows.iter().map(|&row| feed.times[row as usize]).max(),
        };
        self.stats.max_event_time = self.stats.max_event_time.max(latest);
        self.stats.rows += feed.times.len() as u64;
        self.stats.null_time_rows += null_rows as u64;
        self.stats.late_rows = self.late.fully_count;
        self.stats.partly_late_rows = self.late.partly_count;
        self.stats.max_lateness = self.late.max_lateness;
        self.count_windows();
    }

    fn count_windows(&mut self) {
        let value = self.watermark.value();
        self.stats.watermark = (value != i64::MIN).then_some(value);
        let rolling = match &self.kind {
            Kind::Rolling(rolling) => rolling.kept(),
            Kind::Panes(_) | Kind::Sessions(_) => 0,
        };
        let closed = match &self.kind {
            Kind::Panes(panes) => panes.closed_rows() + self.closed.len(),
            Kind::Rolling(_) | Kind::Sessions(_) => self.closed.len(),
        };
        self.stats.open_windows = self.ledger.live() + rolling - closed;
        self.stats.windows = match &self.kind {
            Kind::Rolling(rolling) => rolling.answered(),
            Kind::Panes(_) | Kind::Sessions(_) => self.taken + closed as u64,
        };
    }

    fn null_times(&self, count: usize, present: Option<&[u32]>, first_ordinal: u64) -> WindowError {
        let present = present.unwrap_or_default();
        // The rows that have a time ascend: the first that is not at its own index follows a null.
        let first = (0..).zip(present).take_while(|(index, row)| index == *row).count();
        WindowError::TimeNull {
            column: self.spec.time.clone(),
            count,
            ordinal: first_ordinal + first as u64,
        }
    }
}

/// The codes that occur, each once; codes are dense, so that a mark for each costs less than a sort.
fn distinct(codes: &[u32]) -> Vec<u32> {
    let size = codes.iter().max().map_or(0, |&code| code as usize + 1);
    let mut seen = vec![false; size];
    let is_first = |code: &u32| !std::mem::replace(&mut seen[*code as usize], true);
    codes.iter().copied().filter(is_first).collect()
}

fn check_arrivals(rows: usize, arrivals: Arrivals<'_>) -> Result<(), WindowError> {
    match arrivals {
        Arrivals::Each(each_ms) if each_ms.len() != rows => {
            Err(WindowError::ArrivalCount { rows, arrivals: each_ms.len() })
        }
        Arrivals::At(_) | Arrivals::Each(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
